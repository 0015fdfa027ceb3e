import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdtempSync, openSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { ScriptdError } from '../errors.js';
import { drillLimits } from './limits.js';
import { processesOf, signal } from './processes.js';

/** How `scriptd up` is started on a data directory. */
export type UpCommand = (dataDir: string) => {
  file: string;
  args: string[];
  env: Record<string, string>;
};

/** A throw-away `scriptd up` with a folder of its own. */
export class Instance {
  /** All that it has, its log and the notes of its scripts included. */
  readonly folder = mkdtempSync(join(tmpdir(), 'scriptd-drill-'));
  readonly notesFile = join(this.folder, 'notes');
  readonly logFile = join(this.folder, 'log');
  readonly #child: ChildProcess;

  constructor(command: UpCommand) {
    const { file, args, env } = command(join(this.folder, 'data'));
    const log = openSync(this.logFile, 'a');
    // Its stdin is the lifeline: it ends when this process does. Its working directory is its own,
    // so that no configuration file of somebody else counts.
    const stdio = ['pipe', 'pipe', log] as const;
    this.#child = spawn(file, args, { env, cwd: this.folder, stdio: [...stdio], detached: true });
    closeSync(log);
  }

  /** @throws ScriptdError DRILL_FAILED: it ended, or is not ready in time */
  async ready(): Promise<string> {
    const stdout = this.#child.stdout;
    const address = new Promise<string | undefined>((resolve) => {
      if (!stdout) return resolve(undefined);
      const lines = createInterface({ input: stdout });
      lines.on('line', (line) => resolve(/^scriptd ready (\S+)$/.exec(line)?.[1]));
      lines.once('close', () => resolve(undefined));
      this.#child.once('error', () => resolve(undefined));
      setTimeout(() => resolve(undefined), drillLimits.readyMs).unref();
    });
    const found = await address;
    if (found) return found;
    throw new ScriptdError('DRILL_FAILED', `scriptd up is not ready; see ${this.logFile}`);
  }

  /** The processes of its parts, by name: `controller`, `http`, `worker bash-1`. Never `up`. */
  parts(): Map<string, number> {
    const found = processesOf(this.folder).flatMap((one) => {
      const part = /bin\/scriptd (controller|http|worker) /.exec(one.command)?.[1];
      const worker = part === 'worker' ? / --name=(\S+)/.exec(one.command)?.[1] : undefined;
      return part ? [{ ...one, name: worker === undefined ? part : `${part} ${worker}` }] : [];
    });
    const pids = new Set(found.map(({ pid }) => pid));
    const parts = new Map<string, number>();
    for (const { pid, parentPid, name } of found) {
      // A child of a worker that has not become its script yet looks like the worker. A worker is
      // a child of a controller, too.
      const parent = found.find((one) => one.pid === parentPid);
      if (pids.has(parentPid) && parent?.name === name) continue;
      parts.set(name, pid);
    }
    return parts;
  }

  /** Ends it, whatever state it is in. Its folder goes too, unless it is to be looked at. */
  async end({ keep = false } = {}): Promise<void> {
    const child = this.#child;
    if (child.pid !== undefined && child.exitCode === null && child.signalCode === null) {
      const gone = once(child, 'exit');
      const timer = setTimeout(() => child.kill('SIGKILL'), drillLimits.endMs);
      child.kill('SIGTERM');
      await gone;
      clearTimeout(timer);
    }
    child.stdin?.destroy();
    child.stdout?.destroy();
    for (const { pid } of processesOf(this.folder)) signal(pid, 'SIGKILL');
    if (!keep) rmSync(this.folder, { recursive: true, force: true, maxRetries: 10 });
  }
}
