import { readdirSync, readFileSync } from 'node:fs';
import { killIfThere } from './cgroup/files.js';

/**
 * Kills the processes of users, as far as they are seen in one look. Each is stopped first, so that it
 * neither forks nor ends, and its number stays its own, until all that were seen are killed.
 *
 * Source: proc(5), /proc/PID/status
 *
 * @returns those who had any
 */
export function killProcessesOf(users: ReadonlySet<number>): Set<number> {
  const found: { pid: number; user: number }[] = [];
  for (const entry of readdirSync('/proc')) {
    const pid = Number(entry);
    const user = pid > 1 ? userOf(pid) : undefined;
    if (user === undefined || !users.has(user)) continue;
    killIfThere(pid, 'SIGSTOP');
    found.push({ pid, user });
  }
  for (const { pid, user } of found) {
    // Somebody else may have killed it, and its number be another's.
    if (userOf(pid) === user) killIfThere(pid, 'SIGKILL');
  }
  return new Set(found.map(({ user }) => user));
}

/**
 * Undefined when nothing of the process runs any more: a zombie is counted against its user until init
 * has reaped it, which may take its time, but ids come in turn.
 */
function userOf(pid: number): number | undefined {
  let status: string;
  try {
    status = readFileSync(`/proc/${pid}/status`, 'latin1');
  } catch {
    return undefined; // it is gone
  }
  // While other threads run, the first may be a zombie.
  if (/^State:\t[ZX]/m.test(status) && /^Threads:\t[01]$/m.test(status)) return undefined;
  return Number(/^Uid:\t(\d+)/m.exec(status)?.[1]);
}
