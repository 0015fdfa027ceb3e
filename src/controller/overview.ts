import type { Clock } from '../clock.js';
import type { MessageOf } from '../wire/messages.js';
import { partsShownMax } from '../wire/reports.js';
import type { DeadLetterCount } from './dead-letter-count.js';
import type { Fleet } from './fleet.js';
import type { History } from './history.js';
import type { Queues } from './queues.js';
import type { Standing } from './standing.js';

export type OverviewReport = Omit<MessageOf<'overviewReport'>, 'kind' | 'requestId'>;

export interface OverviewOptions {
  standing: Pick<Standing, 'report'>;
  queues: Pick<Queues, 'report'>;
  fleet: Pick<Fleet, 'missingTypes'>;
  history: Pick<History, 'newest' | 'readyPerMinute'>;
  deadLetters: Pick<DeadLetterCount, 'read'>;
  clock: Clock;
}

/** All that somebody who looks after the service has to know of it, at one moment. */
export class Overview {
  readonly #options: OverviewOptions;

  constructor(options: OverviewOptions) {
    this.#options = options;
  }

  /** @param isDraining it takes no further tasks, by then */
  async report(isDraining: () => boolean): Promise<OverviewReport> {
    const { standing, queues, fleet, history, deadLetters, clock } = this.#options;
    const letters = await deadLetters.read();
    const { ready, draining, missing, workers } = standing.report(isDraining());
    const lacking = new Set(fleet.missingTypes());
    return {
      at: clock.wallMs(),
      ...{ ready, draining, missing },
      queues: queues.report(clock.monotonicMs()).map((queue) => ({
        ...queue,
        ...(lacking.has(queue.type) && { lacksWorker: true as const }),
        readyPerMinute: history.readyPerMinute(queue.type),
      })),
      workers: workers.slice(0, partsShownMax),
      ...(workers.length > partsShownMax && { workersMore: true as const }),
      ...letters,
      ...history.newest(),
    };
  }
}
