import type { IsolationFloor, IsolationReport } from '../isolation.js';
import type { Log } from '../log.js';
import type { Address } from '../poll/address.js';
import type { WireToken } from '../wire/token.js';
import type { Transport } from '../wire/transport.js';
import type { Demand } from './enclosure.js';
import type { WorkerEnd } from './lifecycle.js';
import type { RuntimeDefinition } from './runtimes/runtime.js';

export interface WorkerOptions {
  /** Unique among workers, e.g. `python-1`. */
  name: string;
  /** The one task type that it executes. */
  type: string;
  /** Scripts that run at the same time. */
  slots: number;
  /** Where the controller connects: `unix:/PATH` or `tcp://HOST:PORT`. */
  listen: string;
  /**
   * Where this worker connects to its controller instead. Nobody is then served at `listen`: it is
   * claimed all the same, so that no second worker of this name uses its folder.
   */
  join?: Address;
  wireToken: WireToken;
  /** How it and its controller talk to each other. Default: on this host. */
  transport?: Transport;
  /** How the type is executed. Not needed for python, node, bash and noop. */
  runtime?: RuntimeDefinition;
  /** The least that keeps scripts apart from this host. */
  isolation: IsolationFloor;
  /** At level strict, and at basic for root: the first of the user and group ids that scripts run as. */
  firstScriptId?: number;
  /** What most tasks will demand: processes for them are ready before the first comes. */
  demands?: readonly Demand[];
  /** Folder that belongs to this worker alone; directories of earlier runs in it are removed. */
  workDirectory: string;
  /** Exits when no controller has been connected for so long. Default 55,000. */
  orphanMs?: number;
  /** `drain` ends what still runs after this. Default 30,000. */
  drainMs?: number;
  log: Log;
}

export interface WorkerStats {
  running: number;
  queued: number;
  unacknowledged: number;
  unacknowledgedBytes: number;
  /** Connections of a controller, 0 to 2. */
  connections: number;
  /** Processes that wait for a task. */
  ready: number;
  /** Wall limits that are pending. */
  deadlines: number;
  /** Attempts are taken: it neither drains nor ends. */
  serving: boolean;
}

export interface Worker {
  /** Where it listens, or joins, as text. */
  readonly address: string;
  readonly isolation: IsolationReport;
  stats(): WorkerStats;
  /**
   * Takes no more, finishes what it has, waits until the results are acknowledged, and closes.
   * Resolves then. What still runs after `drainMs` is ended.
   */
  drain(): Promise<void>;
  /** Ends all that runs, and closes. */
  close(): Promise<void>;
  /** Resolves when it is closed and nothing of it is left. */
  readonly closed: Promise<WorkerEnd>;
}
