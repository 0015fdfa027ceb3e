// Makes what the Kubernetes tests run against: kube-apiserver and kubectl from the Go module
// k8s.io/kubernetes, and etcd from PATH or Debian's package. Needs Go, which may fetch modules.
//
//   node test/kubernetes/programs/build.mjs
//
// They go to $XDG_CACHE_HOME/scriptd-test/kubernetes, and are made once.

import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

const here = import.meta.dirname;
const cache = process.env.XDG_CACHE_HOME || join(homedir(), '.cache');
const target = join(cache, 'scriptd-test', 'kubernetes');
mkdirSync(target, { recursive: true });

const [, version] = /k8s\.io\/kubernetes (v\S+)/.exec(readFileSync(join(here, 'go.mod'), 'utf8'));
const names = { gitVersion: version, gitMajor: '1', gitMinor: version.split('.')[1] };
const versionFlags = Object.entries(names).map(
  ([name, value]) => `-X k8s.io/component-base/version.${name}=${value}`,
);

for (const program of ['kube-apiserver', 'kubectl']) {
  const file = join(target, program);
  if (existsSync(file)) continue;
  console.log(`building ${program} ${version}: this takes a while`);
  const ldflags = ['-s', '-w', ...versionFlags].join(' ');
  const paths = ['-o', file, `k8s.io/kubernetes/cmd/${program}`];
  run('go', ['build', '-trimpath', '-buildvcs=false', '-ldflags', ldflags, ...paths], here);
}
if (!existsSync(join(target, 'etcd'))) takeEtcd();
console.log(`there in ${target}`);

function takeEtcd() {
  const found = (process.env.PATH ?? '').split(':').map((folder) => join(folder, 'etcd'));
  const file = found.find((path) => existsSync(path));
  if (file) {
    copyFileSync(file, join(target, 'etcd'));
    return;
  }
  const folder = join(target, 'etcd-server');
  mkdirSync(folder, { recursive: true });
  run('sh', ['-c', 'apt-get download etcd-server && dpkg-deb -x etcd-server_*.deb .'], folder);
  copyFileSync(join(folder, 'usr', 'bin', 'etcd'), join(target, 'etcd'));
}

function run(file, args, cwd) {
  const { status, error } = spawnSync(file, args, { cwd, stdio: 'inherit' });
  if (error) throw error;
  if (status !== 0) throw new Error(`${file} ${args[0]} failed with ${status}`);
}
