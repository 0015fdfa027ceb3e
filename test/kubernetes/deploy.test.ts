import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { parse } from 'yaml';
import { loadConfig } from '../../src/config/load.js';
import { packageRoot } from '../../src/native.js';
import { Cluster, lacking, namespace } from './cluster.js';

const secrets = [
  'wire-token',
  'tokens',
  'ca.crt',
  ...['controller', 'http', 'worker'].flatMap((part) => [`${part}.crt`, `${part}.key`]),
];

t.test('deploy/kubernetes is what the API server takes', { skip: lacking }, async (t) => {
  const cluster = await Cluster.start(t);
  const folder = join(cluster.folder, 'kubernetes');
  cpSync(join(packageRoot, 'deploy', 'kubernetes'), folder, { recursive: true });
  const overlay = join(folder, 'overlays', 'example');
  mkdirSync(join(overlay, 'secrets'));
  for (const name of secrets)
    writeFileSync(join(overlay, 'secrets', name), `for a test: ${name}\n`);
  // Validated field by field: an unknown one is an error.
  const applied = cluster.kubectl(['apply', '--validate=strict', '--kustomize', overlay]);
  t.match(applied, /statefulset.apps\/scriptd-controller created/);
  const objects = ['statefulsets', 'deployments', 'networkpolicies', 'poddisruptionbudgets'];
  const names = cluster.kubectl([
    ...['get', [...objects, 'services', 'secrets', 'roles', 'rolebindings'].join(',')],
    ...['--namespace', namespace, '--output', 'name'],
  ]);
  for (const name of ['scriptd-http', 'scriptd-controller', 'scriptd-worker-tls', 'scriptd-wire']) {
    t.match(names, new RegExp(`/${name}\n`));
  }
  const again = cluster.kubectl(['apply', '--validate=strict', '--kustomize', overlay]);
  t.notMatch(again, / created/, 'a second time makes nothing anew');
  await t.test('pods of its templates pass the restricted standard', async (t) => {
    const { template } = parseObject(cluster, 'statefulset', 'scriptd-controller');
    const file = join(packageRoot, 'deploy', 'kubernetes', 'base', 'scriptd.yaml');
    const { kubernetes } = loadConfig({ flags: {}, env: {}, file });
    const worker = kubernetes.pod as { spec: { containers: object[] } };
    const [container] = worker.spec.containers;
    const image = { containers: [{ ...container, image: 'scriptd:test' }] };
    const specs = { controller: template.spec, worker: { ...worker.spec, ...image } };
    for (const [name, spec] of Object.entries(specs)) {
      const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name, namespace }, spec };
      const text = JSON.stringify(withoutClaims(pod));
      const dry = ['apply', '--dry-run=server', '--validate=strict', '--filename', '-'];
      t.match(cluster.kubectl(dry, text), /created \(server dry run\)/, name);
    }
  });
});

interface Workload {
  template: { spec: { containers: object[]; volumes: object[] } };
}

function parseObject(cluster: Cluster, kind: string, name: string): Workload {
  const text = cluster.kubectl(['get', kind, name, '--namespace', namespace, '--output', 'yaml']);
  return (parse(text) as { spec: Workload }).spec;
}

/** The StatefulSet adds its claims as volumes; here nobody does. */
function withoutClaims(pod: { spec: unknown }): object {
  const spec = pod.spec as Workload['template']['spec'];
  const data = spec.volumes.some((volume) => 'name' in volume && volume.name === 'data');
  const volumes = data ? spec.volumes : [...spec.volumes, { name: 'data', emptyDir: {} }];
  return { ...pod, spec: { ...spec, volumes } };
}
