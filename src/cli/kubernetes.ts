import { hostname } from 'node:os';
import type { V1PodTemplateSpec } from '@kubernetes/client-node';
import type { Config } from '../config/settings.js';
import type { WorkerManager } from '../controller/manager.js';
import { ScriptdError } from '../errors.js';
import type { Log } from '../log.js';
import { scalingRules } from './scaling.js';

const standard = { port: 5_100, startMs: 120_000 } as const;

/**
 * The manager whose workers are pods. What it needs is loaded only here: it is large.
 *
 * @throws ScriptdError BAD_CONFIG
 */
export async function kubernetesManager(config: Config, log: Log): Promise<WorkerManager> {
  const [{ KubernetesManager }, { PodApi }, { clusterOf }, { podLabels }, { checkTemplate }] =
    await Promise.all([
      import('../controller/managers/kubernetes/manager.js'),
      import('../controller/managers/kubernetes/pod-api.js'),
      import('../controller/managers/kubernetes/cluster.js'),
      import('../controller/managers/kubernetes/pod-sight.js'),
      import('../controller/managers/kubernetes/pod-template.js'),
    ]);
  const { port = standard.port, startMs = standard.startMs, ...asked } = config.kubernetes;
  const { config: cluster, namespace } = clusterOf(process.env);
  const controllerPod = asked.controllerPod ?? hostname();
  const templateOf = (type: string): V1PodTemplateSpec => {
    const own = asked.podOfType?.[type];
    const template = (own ?? asked.pod) as V1PodTemplateSpec | undefined;
    if (!template) {
      const text = `\`kubernetes.pod\` is missing: workers of type ${type} are made from it`;
      throw new ScriptdError('BAD_CONFIG', text);
    }
    checkTemplate(template, own ? `kubernetes.podOfType.${type}` : 'kubernetes.pod');
    return template;
  };
  const controller = controllerPod || 'none';
  const moulds = Object.entries(config.workers).map(([type, slots]) => {
    return [type, { type, slots, port, controller, template: templateOf(type) }] as const;
  });
  return new KubernetesManager({
    api: new PodApi(cluster, asked.namespace ?? namespace, `${podLabels.controller}=${controller}`),
    controllerPod,
    moulds: new Map(moulds),
    rules: scalingRules(config),
    startMs,
    log,
  });
}
