import { ScriptdError } from '../errors.js';
import { type Collected, collectFrom } from './collect.js';
import type { WorkRoot } from './directory.js';
import type { Demand, Enclosure, Isolation } from './enclosure.js';
import { scriptEnvironment } from './environment.js';
import type { ExecuteMessage } from './queue.js';
import { plainRlimits, type Rlimits } from './rlimits.js';
import type { ProcessRuntime } from './runtimes/runtime.js';
import { scriptFiles } from './script-files.js';
import type { SpawnPlan } from './spawn-plan.js';

/** Level `none`: a directory of its own for each run, and the limits of a process. */
export class PlainIsolation implements Isolation {
  readonly level = 'none';
  readonly #root: WorkRoot;
  readonly #rlimits: Rlimits;

  constructor(root: WorkRoot, rlimits: Rlimits = plainRlimits) {
    this.#root = root;
    this.#rlimits = rlimits;
  }

  canPrepare(runtime: ProcessRuntime): boolean {
    return runtime.bootstrap !== undefined;
  }

  keyOf(runtime: ProcessRuntime, { limits, env }: Demand): string {
    const own = runtime.bootstrap?.takesLimits ? {} : this.#rlimits(limits);
    return JSON.stringify([own, env ?? {}]);
  }

  enclose(runtime: ProcessRuntime, demand: Demand, task?: ExecuteMessage): Enclosure {
    // Before there is a directory that would have to go again.
    const argv = task && !runtime.bootstrap ? runtime.argv(task.args ?? []) : undefined;
    const directory = this.#root.create(argv && task ? scriptFiles(runtime, task) : []);
    const folders = { home: directory.path, temporary: directory.path };
    const env = (own: Demand['env']) => scriptEnvironment(runtime, folders, own);
    const common = { file: runtime.file, cwd: directory.path };
    let plan: SpawnPlan;
    if (argv) {
      const stdin = task?.stdin && task.stdin.length > 0 ? 'pipe' : 'null';
      plan = { ...common, argv, env: env(task?.env), stdin, limits: this.#rlimits(demand.limits) };
    } else {
      const { bootstrap } = runtime;
      plan = {
        ...common,
        argv: bootstrap?.argv(bootstrap.folder) ?? [],
        env: env(demand.env),
        stdin: 'pipe',
        limits: bootstrap?.takesLimits ? {} : this.#rlimits(demand.limits),
        control: true,
      };
    }
    return {
      plan,
      folders,
      rlimits: this.#rlimits,
      admit: () => undefined,
      cpuMs: undefined,
      collect: (order) => collectFrom(directory.path, order).catch(nothingOf),
      usage: undefined,
      leave: () => directory.remove(),
    };
  }

  settled(): Promise<void> {
    return this.#root.settled();
  }

  close(): void {
    // The root stays: it is the next worker's of this name.
  }
}

/** A script may have removed its directory, or put something else in its place. */
function nothingOf(error: unknown): Collected {
  const isGone =
    error instanceof ScriptdError && ['ENOENT', 'ENOTDIR', 'ELOOP'].includes(error.code);
  if (!isGone || error.errno === undefined) throw error;
  return { files: [], notCollected: [{ name: '.', errno: error.errno }] };
}
