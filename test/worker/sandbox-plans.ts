import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type StrictPlan, supportedLayers } from '../../src/worker/sandbox.js';
import { python } from './sandbox-process.js';

const capacity = { bytes: 2 ** 20, inodes: 64 };
const prefix = join(python, '..', '..');

/** What the host's programs need, and a megabyte for everything. */
export const strictPlan: StrictPlan = {
  uid: 70001,
  gid: 70001,
  readOnly: ['/usr', '/bin', '/sbin', '/lib', '/lib64', '/etc/hosts', prefix].filter(existsSync),
  directory: capacity,
  tmp: capacity,
  shm: capacity,
  files: [],
  network: 'none',
  cgroup: {},
  landlock: 'if-available',
};

/** Whether this host can build a sandbox at all. */
export const namespaces = supportedLayers().find(({ name }) => name === 'namespaces');
