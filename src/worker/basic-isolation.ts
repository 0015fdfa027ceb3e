import { chmodSync, chownSync, existsSync, readdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Log } from '../log.js';
import type { BasicPlan } from './basic-plan.js';
import { accountOf, cgroupLimits } from './cgroup/account.js';
import { type CgroupHost, cgroupsStay, type RunCgroup } from './cgroup/cgroup.js';
import type { WorkRoot } from './directory.js';
import type { Demand, Enclosure, Isolation } from './enclosure.js';
import type { LayerName } from './layers.js';
import { Leftovers } from './leftovers.js';
import { PlainIsolation } from './plain-isolation.js';
import type { ExecuteMessage } from './queue.js';
import { countedRlimits, plainRlimits } from './rlimits.js';
import type { ProcessRuntime } from './runtimes/runtime.js';
import { ScriptIds } from './script-ids.js';
import { visiblePaths } from './visible-paths.js';

/** What programs ask of the whole host; nothing of single processes is among it. */
const hostFacts = [
  ...['cpuinfo', 'filesystems', 'loadavg', 'meminfo', 'stat', 'uptime', 'version'].map(
    (name) => `/proc/${name}`,
  ),
  '/sys/devices/system/cpu',
];

const devices = ['null', 'zero', 'full', 'random', 'urandom'].map((name) => `/dev/${name}`);

/**
 * Level `basic`: what an unprivileged container still allows. A plain start with landlock and seccomp
 * upon it, and, where they are to be had, ids and a cgroup of its own for each run.
 */
export class BasicIsolation implements Isolation {
  readonly level = 'basic';
  /** Layers that each run has beside those that the level promises. */
  readonly also: readonly LayerName[];
  readonly #plain: PlainIsolation;
  readonly #cgroups: CgroupHost | undefined;
  readonly #log: Log;
  readonly #leftovers: Leftovers;
  readonly #readOnly: readonly string[];
  /** Undefined where all runs have the worker's own. */
  readonly #ids: ScriptIds | undefined;

  /**
   * @param cgroups undefined where none can be had
   * @param ids for root: user and group ids that nobody else on this host has, many more than there
   *   may be enclosures at once
   */
  constructor(
    runtime: ProcessRuntime,
    root: WorkRoot,
    cgroups: CgroupHost | undefined,
    { first, count, log }: { first: number; count: number; log: Log },
  ) {
    this.#log = log;
    this.#leftovers = new Leftovers(log);
    this.#plain = new PlainIsolation(root, cgroups ? countedRlimits : plainRlimits);
    this.#cgroups = cgroups;
    const bootstrap = runtime.bootstrap ? [runtime.bootstrap.folder] : [];
    const facts = hostFacts.filter((path) => existsSync(path));
    this.#readOnly = [...visiblePaths(runtime), ...bootstrap, ...facts];
    const isRoot = process.geteuid?.() === 0;
    // What is made for the runtime lies in the worker's own folder.
    const opened = (path: string) => (path.startsWith(`${root.path}/`) ? 1 + ownFolders : 0);
    const ownIds =
      isRoot &&
      letsThrough(root.path, ownFolders) &&
      [runtime.file, ...runtime.prefixes, ...bootstrap].every((path) =>
        letsThrough(path, opened(path)),
      );
    this.#ids = ownIds ? new ScriptIds(first, count) : undefined;
    this.also = [...(ownIds ? ['identity' as const] : []), ...(cgroups ? ['cgroup' as const] : [])];
  }

  canPrepare(runtime: ProcessRuntime): boolean {
    return this.#plain.canPrepare(runtime);
  }

  keyOf(runtime: ProcessRuntime, demand: Demand): string {
    return this.#plain.keyOf(runtime, demand);
  }

  enclose(runtime: ProcessRuntime, demand: Demand, task?: ExecuteMessage): Enclosure {
    const inner = this.#plain.enclose(runtime, demand, task);
    const id = this.#ids?.take();
    const giveBack = (isEnded: boolean) => {
      inner.leave();
      if (id !== undefined && isEnded) this.#ids?.giveBack(id);
    };
    let cgroup: RunCgroup | undefined;
    try {
      if (id !== undefined) giveTo(inner.plan.cwd, id);
      cgroup = this.#cgroups?.create(cgroupLimits(demand.limits));
    } catch (error) {
      giveBack(true);
      throw error;
    }
    const basic: BasicPlan = {
      landlock: 'require',
      readOnly: this.#readOnly,
      writable: [inner.plan.cwd, ...devices],
      ...(id !== undefined && { uid: id, gid: id }),
      ...(cgroup && { cgroup: cgroup.entry }),
    };
    const plan = { ...inner.plan, basic };
    const whose = cgroup ? { cgroup } : id !== undefined ? { user: id } : undefined;
    return {
      ...inner,
      plan,
      ...(cgroup && counted(inner, cgroup)),
      // What is the worker's own user's can't be told from the worker.
      leave: () => (whose ? this.#leftovers.end(whose, giveBack) : giveBack(true)),
    };
  }

  async settled(): Promise<void> {
    await this.#leftovers.settled();
    await this.#plain.settled();
  }

  close(): void {
    this.#plain.close();
    if (this.#cgroups?.close() === false) this.#log.warn(cgroupsStay);
  }
}

/** What the cgroup adds to an enclosure. */
function counted(
  inner: Enclosure,
  cgroup: RunCgroup,
): Pick<Enclosure, 'admit' | 'cpuMs' | 'usage'> {
  const account = accountOf(cgroup);
  return {
    ...account,
    admit: (limits) => {
      inner.admit(limits);
      account.admit(limits);
    },
  };
}

/** Folders from the work directories up that are scriptd's own: DATA-DIR/work/NAME. */
const ownFolders = 3;
const searchByOthers = 0o001;

/**
 * True when other ids get to `path`, an interpreter or a work directory: else they cannot be taken.
 *
 * @param own folders from there up that are scriptd's: those are opened for passing, not for looking
 */
function letsThrough(path: string, own: number): boolean {
  let folder = path;
  for (let depth = 0; ; depth++) {
    const { mode, uid } = statSync(folder);
    if ((mode & searchByOthers) === 0) {
      if (depth >= own || uid !== process.geteuid?.()) return false;
      chmodSync(folder, (mode & 0o7777) | searchByOthers);
    }
    if (folder === '/') return true;
    folder = dirname(folder);
  }
}

/** A fresh work directory and what was written into it. */
function giveTo(directory: string, id: number): void {
  for (const entry of readdirSync(directory, { recursive: true, encoding: 'utf8' })) {
    chownSync(join(directory, entry), id, id);
  }
  chownSync(directory, id, id);
}
