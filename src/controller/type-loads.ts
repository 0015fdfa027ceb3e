import type { Scheduler } from '../scheduler/scheduler.js';
import type { TypeLoad } from './manager.js';

/** What there is to do of each of these types, in their order, and who is connected for it. */
export function typeLoads(types: readonly string[], scheduler: Scheduler): TypeLoad[] {
  const lanes = new Map(scheduler.lanes().map((lane) => [lane.type, lane]));
  const crews = new Map(types.map((type) => [type, new Map<string, TypeLoadWorker>()]));
  const awaited = new Map(types.map((type) => [type, new Set<string>()]));
  for (const {
    id,
    type,
    slots,
    draining,
    awayUntilMs,
    attempts,
    stale,
  } of scheduler.workers.all()) {
    if (awayUntilMs !== undefined) awaited.get(type)?.add(id);
    else crews.get(type)?.set(id, { busy: attempts.size + stale.size, slots, draining });
  }
  return types.map((type) => {
    const { ready = 0, waiting = 0, running = 0, paused } = lanes.get(type) ?? {};
    return {
      type,
      ready: paused ? 0 : ready,
      waiting,
      running,
      workers: crews.get(type) ?? new Map(),
      awaited: awaited.get(type) ?? new Set(),
    };
  });
}

type TypeLoadWorker =
  TypeLoad['workers'] extends ReadonlyMap<string, infer Worker> ? Worker : never;
