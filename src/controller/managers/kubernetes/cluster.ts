import { KubeConfig } from '@kubernetes/client-node';
import { errorMessage, ScriptdError } from '../../../errors.js';

/**
 * The cluster that this process works with: that of the file that KUBECONFIG names, or else the one
 * that it runs in.
 *
 * @throws ScriptdError BAD_CONFIG when there is none
 */
export function clusterOf(env: Readonly<Record<string, string | undefined>>): {
  config: KubeConfig;
  namespace: string;
} {
  const config = new KubeConfig();
  const { KUBECONFIG: file, KUBERNETES_SERVICE_HOST: host } = env;
  try {
    if (file) config.loadFromFile(file);
    else if (host) config.loadFromCluster();
  } catch (error) {
    throw new ScriptdError('BAD_CONFIG', `KUBECONFIG (${file}): ${errorMessage(error)}`);
  }
  if (!config.getCurrentCluster()) {
    throw new ScriptdError(
      'BAD_CONFIG',
      '`manager: kubernetes` finds no cluster: run it in a pod with a service account, ' +
        'or name a kubeconfig file in KUBECONFIG',
    );
  }
  const context = config.getContextObject(config.getCurrentContext());
  return { config, namespace: context?.namespace || 'default' };
}
