import type { Queue } from '../client/index.js';
import type { Column } from './table.js';

const number = (title: string, of: (queue: Queue) => number): Column<Queue> => ({
  ...{ title, side: 'right', of: (queue) => of(queue).toLocaleString('en'), sortBy: of },
});

/** One line about a type, for `queues` and `top`. */
export const queueColumns: readonly Column<Queue>[] = [
  { title: 'TYPE', of: ({ type }) => type, columnsMin: 6 },
  {
    ...{ title: 'STATUS', of: ({ paused, workers }) => (paused ? 'paused' : standing(workers)) },
    tone: ({ paused, workers }) => (paused ? 'aside' : workers > 0 ? 'good' : 'bad'),
  },
  number('READY', ({ ready }) => ready),
  number('WAITING', ({ waiting }) => waiting),
  number('RUNNING', ({ running }) => running),
  number('WORKERS', ({ workers }) => workers),
  number('SLOTS', ({ slots }) => slots),
];

function standing(workers: number): string {
  return workers > 0 ? 'open' : 'no worker';
}
