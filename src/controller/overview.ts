import type { Clock } from '../clock.js';
import type { Log } from '../log.js';
import type { TaskStore } from '../store/port.js';
import type { MessageOf } from '../wire/messages.js';
import { partsShownMax, type WorkerReport } from '../wire/reports.js';
import { DeadLetterCount } from './dead-letter-count.js';
import type { Figures } from './figures.js';
import type { Fleet } from './fleet.js';
import { History, type HistoryReport } from './history.js';
import type { Queues } from './queues.js';
import type { Standing } from './standing.js';
import { typeReadings } from './type-readings.js';

export type OverviewReport = Omit<MessageOf<'overviewReport'>, 'kind' | 'requestId'>;

export interface OverviewOptions {
  standing: Pick<Standing, 'report' | 'absent'>;
  queues: Pick<Queues, 'report'>;
  fleet: Pick<Fleet, 'missingTypes'>;
  figures: Figures;
  store: Pick<TaskStore, 'countDeadLetters'>;
  clock: Clock;
  log: Log;
}

/** All that somebody who looks after the service has to know of it: at one moment, and of late. */
export class Overview {
  readonly #options: OverviewOptions;
  readonly #history: History;
  readonly #deadLetters: DeadLetterCount;

  constructor(options: OverviewOptions) {
    this.#options = options;
    const { store, clock, log } = options;
    this.#history = new History(clock.monotonicMs());
    this.#deadLetters = new DeadLetterCount(store, clock, log);
  }

  /** Called every second: takes a sample when a step of the history is over. */
  beat(): void {
    const { queues, figures, clock } = this.#options;
    const nowMs = clock.monotonicMs();
    if (!this.#history.isDue(nowMs)) return;
    const readings = typeReadings(queues.report(nowMs), figures);
    this.#history.take(readings, nowMs, clock.wallMs());
  }

  history(): HistoryReport {
    return this.#history.report();
  }

  /** @param isDraining whether the controller takes no further tasks, by then */
  async report(isDraining: () => boolean): Promise<OverviewReport> {
    const { standing, queues, fleet, clock } = this.#options;
    const letters = await this.#deadLetters.read();
    const { ready, draining, missing, workers } = standing.report(isDraining());
    const lacking = new Set(fleet.missingTypes());
    return {
      at: clock.wallMs(),
      ...{ ready, draining, missing },
      queues: queues.report(clock.monotonicMs()).map((queue) => ({
        ...queue,
        ...(lacking.has(queue.type) && { lacksWorker: true as const }),
        readyPerMinute: this.#history.readyPerMinute(queue.type),
      })),
      workers: shown(workers),
      ...(workers.length > partsShownMax && { workersMore: true as const }),
      absent: standing.absent().slice(0, partsShownMax),
      ...letters,
      ...this.#history.newest(),
    };
  }
}

/** As many as may be: where those are not all, nobody shall miss one that keeps scripts apart badly. */
function shown(workers: readonly WorkerReport[]): WorkerReport[] {
  if (workers.length <= partsShownMax) return [...workers];
  const isWeak = ({ isolation }: WorkerReport) => isolation.level !== 'strict';
  const others = workers.filter((worker) => !isWeak(worker));
  return [...workers.filter(isWeak), ...others].slice(0, partsShownMax);
}
