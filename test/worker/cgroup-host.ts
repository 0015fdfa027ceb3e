import { execFileSync } from 'node:child_process';
import { writeSync } from 'node:fs';
import type { RunCgroup } from '../../src/worker/cgroup/cgroup.js';
import { findCgroups } from '../../src/worker/cgroup/find.js';

/** Why tests with cgroups are skipped on this host, or false. In CI a host without is a failure. */
export function lackingCgroups(): string | false {
  const found = findCgroups(`scriptd-test-probe-${process.pid}`);
  const missing = 'version' in found ? undefined : found.detail;
  if ('version' in found) found.close();
  return missing && !process.env.SCRIPTD_TEST_ALL ? `no cgroups here: ${missing}` : false;
}

/** Moves a process there. */
export function enter({ entry }: RunCgroup, pid: number): void {
  const { v1Procs = [], v2Directory } = entry;
  for (const fd of v1Procs) writeSync(fd, String(pid));
  if (v2Directory !== undefined) {
    const procs = `/proc/${process.pid}/fd/${v2Directory}/cgroup.procs`;
    execFileSync('bash', ['-c', `echo ${pid} > ${procs}`]);
  }
}
