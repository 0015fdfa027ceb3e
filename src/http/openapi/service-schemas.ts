import { Type } from 'typebox';
import { PoolReport, QueueReport, WorkerReport } from '../../wire/reports.js';
import { closed, described } from './described.js';
import { Time } from './texts.js';

export const Queue = described(QueueReport, {
  type: 'Which tasks.',
  paused: 'Nothing of it is handed out.',
  ready: 'Tasks that could be handed out.',
  waiting: 'Tasks that wait for their time: delayed, or to be tried again.',
  running: 'Tasks on a worker.',
  workers: 'Connected workers.',
  slots: 'Scripts that they run at once.',
  oldestMs:
    'How long the task whose turn it is has been ready, in milliseconds; absent when none is.',
});

export const Worker = described(
  Type.Object(
    {
      ...WorkerReport.properties,
      isolation: described(WorkerReport.properties.isolation, {
        level: 'How far its scripts are shut in.',
        layers: 'What they are shut in with, in the order in which it is put around them.',
      }),
      heardAt: Time(),
      connectedAt: Time(),
      pool: Type.Optional(
        described(PoolReport, {
          prepared: 'Processes that wait for a task.',
          warmStarts: 'Scripts that found one, since the worker began.',
          coldStarts: 'Scripts that had theirs started for them.',
        }),
      ),
    },
    closed,
  ),
  {
    id: 'Its name.',
    type: 'Which tasks it executes.',
    slots: 'Scripts that it runs at once.',
    busy: 'Tasks that it has.',
    pid: 'Its process id, on its host.',
    isolation: 'How it keeps its scripts apart from its host.',
    draining: 'It takes nothing more, finishes what it has, and ends.',
    heardAt: 'When the service last heard of it.',
    connectedAt: 'Since when it has been connected.',
    pool: 'Its warm processes, as it told of them last.',
  },
);
