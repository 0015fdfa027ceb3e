import { Type } from 'typebox';
import { OneOf } from '../../schema.js';
import { TaskId, taskStates } from '../../task.js';
import { ExplanationShape } from '../../wire/reports.js';
import { closed, described } from './described.js';

export const Explanation = described(
  Type.Object({ id: TaskId, state: OneOf(taskStates), ...ExplanationShape.properties }, closed),
  {
    id: 'Of the task.',
    state: 'Of the task.',
    reason: 'What holds it back, or what it does.',
    text: 'The same as one or two sentences for people.',
    inMs: 'From now on, in milliseconds.',
    forMs: 'Until now, in milliseconds.',
    attempt: 'Number of the attempt.',
    code: 'A task code: of the attempt before, or of the end.',
    outcome: 'Of a finished task.',
    type: 'Its type.',
    worker: 'Name of the worker that has it.',
    workers: 'Workers of its type.',
    group: 'Its group; empty: the one without a name.',
    groupsAhead: 'Groups that go before it.',
    ahead: 'Tasks of its group before it; at most 10,000 are counted.',
    slots: 'Scripts that run at once, of its type.',
    cause: 'Why its worker was told to end it.',
  },
);
