import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { probeStart } from '../../src/worker/probe.js';
import type { StrictPlan } from '../../src/worker/spawn-plan.js';
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

const refusal = probeStart({ strict: strictPlan })?.message;
/** Why tests are skipped on a host that can build no sandbox at all, or false. */
export const skip = refusal === undefined || process.env.SCRIPTD_TEST_ALL ? false : refusal;
