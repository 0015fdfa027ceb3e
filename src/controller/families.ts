import { counter, type Family, gauge, histogram } from '../figures.js';
import { isolationLevels, layerNames } from '../isolation.js';
import type { Scheduler } from '../scheduler/scheduler.js';
import type { TaskStore } from '../store/port.js';
import { partsShownMax, type QueueReport } from '../wire/reports.js';
import { type Traffic, trafficFamilies } from '../wire/traffic.js';
import type { Figures, TypeFigures } from './figures.js';
import type { Fleet } from './fleet.js';
import type { Ledger } from './ledger.js';
import type { Tracer } from './tracing/tracer.js';
import type { WorkerVitals } from './worker-vitals.js';

/** Where the controller's figures come from. */
export interface FigureSources {
  figures: Figures;
  /** Of every configured type. */
  queues: readonly QueueReport[];
  scheduler: Scheduler;
  fleet: Fleet;
  vitals: WorkerVitals;
  store: TaskStore;
  ledger: Ledger;
  traffic: { http: Traffic; worker: Traffic };
  /** It takes no further tasks. */
  draining: boolean;
  tracer: Pick<Tracer, 'exported' | 'dropped'> | undefined;
}

/** All that `/metrics` shows of the controller but its process. Put together when it is asked for. */
export function familiesOf(sources: FigureSources): Family[] {
  return [
    ...queueFamilies(sources.queues),
    ...taskFamilies(sources.figures),
    ...workerFamilies(sources),
    ...storeFamilies(sources),
    ...trafficFamilies('controller', sources.traffic),
    gauge('scriptd_controller_draining', '1 while the controller takes no further tasks.', [
      [{}, sources.draining ? 1 : 0],
    ]),
    counter('scriptd_spans_total', 'Spans that the collector took, or that it did not get.', [
      [{ result: 'exported' }, sources.tracer?.exported ?? 0],
      [{ result: 'dropped' }, sources.tracer?.dropped ?? 0],
    ]),
  ];
}

function queueFamilies(queues: readonly QueueReport[]): Family[] {
  const states = ['ready', 'waiting', 'running'] as const;
  return [
    gauge(
      'scriptd_queue_tasks',
      'Tasks that are not finished: ready to run, waiting for a time or a retry, running.',
      queues.flatMap((queue) => states.map((state) => [{ type: queue.type, state }, queue[state]])),
    ),
    gauge(
      'scriptd_queue_paused',
      '1 while somebody has paused the type.',
      queues.map(({ type, paused }) => [{ type }, paused ? 1 : 0]),
    ),
  ];
}

function taskFamilies({ types, refused }: Figures): Family[] {
  const byType = <T>(value: (figures: TypeFigures) => T) =>
    [...types].map(([type, figures]) => [{ type }, value(figures)] as const);
  const endings = (of: 'finished' | 'retried') =>
    [...types].flatMap(([type, figures]) =>
      [...figures[of].entries()].map(
        ({ outcome, code, count }) => [{ type, outcome, code }, count] as const,
      ),
    );
  return [
    counter(
      'scriptd_tasks_submitted_total',
      'Tasks that were taken and are durable.',
      byType(({ submitted }) => submitted),
    ),
    counter(
      'scriptd_tasks_refused_total',
      'Submissions that were not taken, by the code of the refusal.',
      [...refused].map(([code, count]) => [{ code }, count]),
    ),
    counter('scriptd_tasks_finished_total', 'Tasks that are finished.', endings('finished')),
    counter(
      'scriptd_task_retries_total',
      'Attempts that ended and are followed by another, by how they ended.',
      endings('retried'),
    ),
    counter(
      'scriptd_dead_letters_total',
      'Tasks that were given up by no doing of their own.',
      byType(({ deadLetters }) => deadLetters),
    ),
    histogram(
      'scriptd_task_waiting_seconds',
      'From the submission, or the end of the attempt before, to the dispatch.',
      byType(({ waiting }) => waiting),
    ),
    histogram(
      'scriptd_task_running_seconds',
      'How long the scripts of finished tasks ran, in their last attempt.',
      byType(({ running }) => running),
    ),
    counter(
      'scriptd_script_starts_total',
      'Scripts that found a prepared process (hit), or had theirs started for them (miss).',
      [...types].flatMap(([type, { warmStarts, coldStarts }]) => [
        [{ type, pool: 'hit' }, warmStarts],
        [{ type, pool: 'miss' }, coldStarts],
      ]),
    ),
  ];
}

function workerFamilies({ scheduler, fleet, vitals, queues }: FigureSources): Family[] {
  const states = ['connected', 'draining', 'away'] as const;
  const counts = new Map(
    queues.map(({ type }) => {
      const workers = { connected: 0, draining: 0, away: 0 };
      return [type, { workers, slots: 0, busy: 0, prefetched: 0, ready: 0 }];
    }),
  );
  for (const worker of scheduler.workers.all()) {
    const count = counts.get(worker.type);
    if (!count) continue;
    const { awayUntilMs, draining, slots, attempts, queued, stale } = worker;
    count.workers[awayUntilMs !== undefined ? 'away' : draining ? 'draining' : 'connected']++;
    if (awayUntilMs !== undefined) continue;
    count.slots += slots;
    count.busy += Math.min(slots, attempts.size - queued.size + stale.size);
    count.prefetched += queued.size;
    count.ready += vitals.get(worker.id)?.ready ?? 0;
  }
  const byType = (
    value: (count: { slots: number; busy: number; prefetched: number; ready: number }) => number,
  ) => [...counts].map(([type, count]) => [{ type }, value(count)] as const);
  return [
    gauge(
      'scriptd_workers',
      'Workers: connected, connected and draining, or lost and waited for.',
      [...counts].flatMap(([type, { workers }]) =>
        states.map((state) => [{ type, state }, workers[state]] as const),
      ),
    ),
    gauge(
      'scriptd_slots',
      'Scripts that the connected workers run at once.',
      byType(({ slots }) => slots),
    ),
    gauge(
      'scriptd_slots_busy',
      'Of them, those that have a task.',
      byType(({ busy }) => busy),
    ),
    gauge(
      'scriptd_tasks_prefetched',
      'Running tasks that are with a worker and wait for a slot there.',
      byType(({ prefetched }) => prefetched),
    ),
    gauge(
      'scriptd_pool_processes',
      'Prepared processes that wait for a task.',
      byType(({ ready }) => ready),
    ),
    ...isolationFamilies(fleet, counts),
  ];
}

/**
 * Layers by type: a worker by its name would make a dozen series. `GET /v1/workers` tells of each. What
 * is no layer of ours is one more: workers can't make series as they like.
 */
function isolationFamilies(fleet: Fleet, types: ReadonlyMap<string, unknown>): Family[] {
  const levels = new Map<string, [labels: Record<string, string>, count: number]>();
  const layers = new Map<string, [labels: Record<string, string>, count: number]>();
  for (const type of types.keys()) {
    for (const level of isolationLevels) levels.set(`${type} ${level}`, [{ type, level }, 0]);
  }
  const add = (to: typeof levels, key: string, labels: Record<string, string>) => {
    const entry = to.get(key) ?? [labels, 0];
    entry[1] += 1;
    to.set(key, entry);
  };
  for (const { seat, inventory } of fleet.up()) {
    const { type } = seat;
    if (!types.has(type)) continue;
    const { level, layers: has } = inventory.isolation;
    add(levels, `${type} ${level}`, { type, level });
    for (const layer of new Set(has.map(knownLayer))) {
      add(layers, `${type} ${layer}`, { type, layer });
    }
  }
  return [
    gauge(
      'scriptd_worker_info',
      'Always 1. The isolation level of each connected worker, of up to 256.',
      [...fleet.up()]
        .slice(0, partsShownMax)
        .map(({ seat: { name, type }, inventory: { isolation } }) => [
          { name, type, level: isolation.level },
          1,
        ]),
    ),
    gauge('scriptd_workers_isolation', 'Connected workers by isolation level.', [
      ...levels.values(),
    ]),
    gauge(
      'scriptd_workers_isolation_layer',
      'Connected workers whose scripts have this layer of isolation.',
      [...layers.values()],
    ),
  ];
}

const known: ReadonlySet<string> = new Set(layerNames);
const otherLayer = '_other';

function knownLayer(layer: string): string {
  return known.has(layer) ? layer : otherLayer;
}

function storeFamilies({ store, ledger }: FigureSources): Family[] {
  const { fileBytes, writesWaiting, oldestWriteMs, unfinishedBytes, finishedBytes, ...tasks } =
    store.stats();
  const states = ['pending', 'running', 'finished'] as const;
  const families = [
    gauge(
      'scriptd_store_tasks',
      'Tasks in the store.',
      states.map((state) => [{ state }, tasks[state]]),
    ),
    gauge('scriptd_store_bytes', 'Code, input and results of tasks in the store.', [
      [{ of: 'unfinished' }, unfinishedBytes],
      [{ of: 'finished' }, finishedBytes],
    ]),
    gauge('scriptd_store_file_bytes', "Size of the store's file.", [[{}, fileBytes]]),
    gauge('scriptd_store_writes_waiting', 'Batches that wait to be durable.', [
      [{}, writesWaiting],
    ]),
    gauge('scriptd_store_oldest_write_seconds', 'How long the oldest of them has waited.', [
      [{}, oldestWriteMs / 1000],
    ]),
    gauge(
      'scriptd_store_refused_batches',
      'Batches that the store refused and is asked to take again.',
      [[{}, ledger.behind]],
    ),
  ];
  if (!store.commits) return families;
  const { seconds, batches, bytes, failed } = store.commits;
  return [
    ...families,
    histogram(
      'scriptd_store_commit_seconds',
      'How long a commit took, waiting for the disk (fsync) included.',
      [[{}, seconds]],
    ),
    histogram('scriptd_store_commit_batches', 'Batches that shared a commit.', [[{}, batches]]),
    counter('scriptd_store_written_bytes_total', 'Keys and values that were committed.', [
      [{}, bytes],
    ]),
    counter('scriptd_store_commits_failed_total', 'Commits that failed.', [[{}, failed]]),
  ];
}
