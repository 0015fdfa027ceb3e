import type { VitalSigns } from '../vitals.js';
import type { Identity } from '../wire/handshake.js';
import type { MessageOf } from '../wire/messages.js';
import { partsShownMax } from '../wire/reports.js';
import { type FigureSources, familiesOf } from './families.js';
import type { Queues } from './queues.js';

export interface StandingOptions extends Omit<FigureSources, 'queues' | 'draining'> {
  local: Identity;
  queues: Queues;
  /** Of this process. */
  own: VitalSigns;
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
    const missing = fleet.missingTypes().map((type) => `no ${type} worker is connected`);
    if (draining) missing.push('the controller is draining');
    if (ledger.behind > 0) missing.push('the store takes nothing: its disk is full or failing');
    return {
      ...{ ready: missing.length === 0, draining, missing },
      pending: scheduler.pendingCount,
      running: scheduler.runningCount,
      workers: [...fleet.up()].map(({ seat, inventory }) => ({
        id: seat.name,
        type: seat.type,
        slots: inventory.slots,
        busy: scheduler.workers.get(seat.name)?.attempts.size ?? 0,
        pid: inventory.pid,
        isolation: inventory.isolation,
      })),
    };
  }

  /** @param draining it takes no further tasks */
  measure(draining: boolean): Omit<MessageOf<'figures'>, 'kind' | 'requestId'> {
    const { local, queues, own, ...sources } = this.#options;
    const { fleet, vitals } = sources;
    const families = familiesOf({ ...sources, queues: queues.report(), draining });
    const controller = { part: 'controller' as const, name: local.id, vitals: own.read() };
    const workers = [...fleet.up()].slice(0, partsShownMax).flatMap(({ seat: { name, type } }) => {
      const told = vitals.get(name);
      return told ? [{ part: 'worker' as const, name, type, vitals: told.vitals }] : [];
    });
    return { families, parts: [controller, ...workers] };
  }
}
