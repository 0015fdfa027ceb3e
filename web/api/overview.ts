import { effect, signal } from '@preact/signals';
import type { Sample, Overview as ServiceOverview } from '../../src/client/overview.js';
import type { WorkerInfo } from '../../src/client/task.js';
import { follow } from './events.js';
import { may } from './session.js';

export type { Sample, TypeSample, Warning } from '../../src/client/overview.js';
export type { Queue } from '../../src/client/task.js';

/** The service is of the same version as the page: it tells all of them. */
export type Worker = Required<Omit<WorkerInfo, 'pool'>> & Pick<WorkerInfo, 'pool'>;

export type Overview = Omit<ServiceOverview, 'workers'> & { workers: Worker[] };

export interface History {
  stepMs: number;
  /** Oldest first. */
  samples: Sample[];
}

export const overview = signal<Overview | undefined>(undefined);
export const history = signal<History>({ stepMs: 10_000, samples: [] });
/** What is wrong with the connection to the service; '' while it is well. */
export const overviewFault = signal('');

const samplesMax = 360;

/** Follows the service while whoever looks may read. */
export function followOverview(): () => void {
  return effect(() => {
    if (!may('read')) return undefined;
    return follow('/v1/overview/events', {
      onEvent(name, data) {
        if (name === 'overview') overview.value = data as Overview;
        else if (name === 'history') history.value = data as History;
        else if (name === 'sample') add(data as Sample);
      },
      onFault(fault) {
        overviewFault.value = fault;
      },
    });
  });
}

function add(sample: Sample): void {
  const { stepMs, samples } = history.peek();
  history.value = { stepMs, samples: [...samples, sample].slice(-samplesMax) };
}
