import type { Clock } from '../clock.js';
import type { VitalSigns } from '../vitals.js';
import type { Identity } from '../wire/handshake.js';
import type { MessageOf } from '../wire/messages.js';
import {
  type AbsentWorker,
  drainingText,
  lacksWorkerText,
  partsShownMax,
  type WorkerReport,
  workersReportedMax,
} from '../wire/reports.js';
import { type FigureSources, familiesOf } from './families.js';
import type { UpWorker } from './fleet.js';
import type { Queues } from './queues.js';

export interface StandingOptions extends Omit<FigureSources, 'queues' | 'draining'> {
  local: Identity;
  queues: Queues;
  /** Of this process. */
  own: VitalSigns;
  clock: Clock;
}

/** How the controller and its workers stand: what `/readyz`, `/v1/workers` and `/metrics` show. */
export class Standing {
  readonly #options: StandingOptions;

  constructor(options: StandingOptions) {
    this.#options = options;
  }

  /** @param draining it takes no further tasks */
  report(draining: boolean): Omit<MessageOf<'report'>, 'kind' | 'requestId'> {
    const { scheduler, fleet, ledger } = this.#options;
    const missing = fleet.missingTypes().map(lacksWorkerText);
    if (draining) missing.push(drainingText);
    if (ledger.behind > 0) missing.push('the store takes nothing: its disk is full or failing');
    const up = [...fleet.up()];
    return {
      ...{ ready: missing.length === 0, draining, missing },
      pending: scheduler.pendingCount,
      running: scheduler.runningCount,
      workers: up.slice(0, workersReportedMax).map((one) => this.#worker(one)),
      ...(up.length > workersReportedMax && { workersMore: true as const }),
    };
  }

  /** Of one worker; undefined when it is not connected. */
  worker(name: string): WorkerReport | undefined {
    for (const up of this.#options.fleet.up()) if (up.seat.name === name) return this.#worker(up);
    return undefined;
  }

  /** Workers that should be connected and are not, those first that have been it for longest. */
  absent(): AbsentWorker[] {
    const { scheduler, fleet, clock } = this.#options;
    const nowMs = clock.monotonicMs();
    const absent = new Map<string, AbsentWorker>();
    const note = (id: string, type: string, sinceMs: number) =>
      absent.set(id, { id, type, absentMs: Math.max(0, Math.round(nowMs - sinceMs)) });
    // One that had joined has no place: it is known only while its tasks wait for it.
    for (const { id, type, awayUntilMs, reconnectGraceMs } of scheduler.workers.all()) {
      if (awayUntilMs !== undefined) note(id, type, awayUntilMs - reconnectGraceMs);
    }
    for (const { seat, sinceMs } of fleet.absent()) note(seat.name, seat.type, sinceMs);
    return [...absent.values()].sort((one, other) => other.absentMs - one.absentMs);
  }

  /** @param draining it takes no further tasks */
  measure(draining: boolean): Omit<MessageOf<'figures'>, 'kind' | 'requestId'> {
    const { local, queues, own, clock, ...sources } = this.#options;
    const { fleet, vitals } = sources;
    const families = familiesOf({
      ...sources,
      queues: queues.report(clock.monotonicMs()),
      draining,
    });
    const controller = { part: 'controller' as const, name: local.id, vitals: own.read() };
    const workers = [...fleet.up()].slice(0, partsShownMax).flatMap(({ seat: { name, type } }) => {
      const told = vitals.get(name);
      return told ? [{ part: 'worker' as const, name, type, vitals: told.vitals }] : [];
    });
    return { families, parts: [controller, ...workers] };
  }

  #worker({ seat, inventory, link }: UpWorker): WorkerReport {
    const { scheduler, vitals, clock } = this.#options;
    const { slots, pid, isolation } = inventory;
    const state = scheduler.workers.get(seat.name);
    const told = vitals.get(seat.name);
    // Of another process, before it: this one has said nothing yet.
    const isTold = told?.vitals.pid === pid;
    const { ready: prepared = 0, warmStarts = 0, coldStarts = 0 } = told ?? {};
    const silentMs = Math.max(0, clock.monotonicMs() - link.heardAtMs);
    return {
      ...{ id: seat.name, type: seat.type, slots, busy: state?.attempts.size ?? 0 },
      ...{ pid, isolation, draining: state?.draining ?? false },
      // By two clocks: never before it was there.
      heardAt: Math.max(link.connectedAt, Math.round(clock.wallMs() - silentMs)),
      connectedAt: link.connectedAt,
      ...(isTold && { pool: { prepared, warmStarts, coldStarts } }),
    };
  }
}
