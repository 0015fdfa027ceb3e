import t from 'tap';
import type { ClientRequests } from '../../src/controller/clients.js';
import { ScriptdError } from '../../src/errors.js';
import { limits } from '../../src/limits.js';
import type { TaskSpec, TaskView } from '../../src/task.js';
import { finished, pending, taskId } from '../http/fake-controller.js';
import { connectDaemon } from './connected-daemon.js';

t.test('a page of tasks that have much to tell fits into a frame', async (t) => {
  const attempt = { worker: 'python-1', startedAt: 1, reason: '漢'.repeat(4_096) };
  const attempts = Array.from({ length: 20 }, (_, index) => ({ ...attempt, attempt: index + 1 }));
  const { stdout: _, stderr: __, ...small } = finished({ attempts });
  const limits: number[] = [];
  const daemon = await connectDaemon(t, {
    query: async ({ limit }) => {
      limits.push(limit);
      return { tasks: Array.from({ length: limit }, () => small), next: `after${limit}` };
    },
  });
  const page = await daemon.ask({ kind: 'list', requestId: 1, type: 'python', limit: 200 });
  t.ok(page.kind === 'page' && page.tasks.length > 1 && page.tasks.length < 200);
  t.equal(page.kind === 'page' && page.next, `after${limits.at(-1)}`, 'it goes on where it ends');
  limits.length = 0;
  const short = await daemon.ask({ kind: 'list', requestId: 2, limit: 3 });
  t.match(short, { tasks: { length: 3 } });
  t.same(limits, [3], 'a page that fits is asked for once');
});

t.test('what was asked for comes with the task, or neither does', async (t) => {
  const spec: TaskSpec = { code: 'print(1)', stdin: Buffer.from('x') };
  let found: TaskSpec | undefined = spec;
  let view: TaskView | undefined = pending();
  const daemon = await connectDaemon(t, {
    readSpec: async () => found,
    read: async (_, options) => {
      t.same(options, { bulk: false });
      return view;
    },
  });
  const ask = () => daemon.ask({ kind: 'getSpec', requestId: 1, taskId });
  t.match(await ask(), { kind: 'spec', requestId: 1, task: pending(), spec: { code: 'print(1)' } });
  view = undefined;
  t.match(await ask(), { kind: 'refused', code: 'UNKNOWN_TASK' });
  view = pending();
  found = undefined;
  t.match(await ask(), { kind: 'refused', code: 'UNKNOWN_TASK' });
});

t.test('an explanation is the word of the scheduler, else what the store has', async (t) => {
  let view: TaskView | undefined;
  let found: ReturnType<ClientRequests['explain']>;
  const daemon = await connectDaemon(t, { explain: () => found, read: async () => view });
  const ask = () => daemon.ask({ kind: 'explain', requestId: 1, taskId });
  found = { reason: 'waits_for_retry', attempt: 1, code: undefined, inMs: 5, text: 'It waits.' };
  t.match(await ask(), { state: 'pending', explanation: { reason: 'waits_for_retry', inMs: 5 } });
  found = { reason: 'prefetched', worker: 'w', attempt: 1, forMs: 5, text: 'It waits there.' };
  t.match(await ask(), { state: 'running', explanation: found });
  found = undefined;
  view = pending();
  t.match(await ask(), { state: 'pending', explanation: { reason: 'storing' } });
  view = finished({
    outcome: 'network_fail',
    code: 'WORKER_LOST',
    reason: 'Worker w is lost.',
    deadLetter: true,
  });
  const answer = await ask();
  t.match(answer, { state: 'finished', explanation: { reason: 'finished', code: 'WORKER_LOST' } });
  t.match(
    answer.kind === 'explanation' && answer.explanation.text,
    /^It ended with network_fail \(WORKER_LOST\) in attempt 1 on worker python-1\. Worker w is lost\. .*send it again\.$/,
  );
  view = undefined;
  t.match(await ask(), { kind: 'refused', code: 'UNKNOWN_TASK' });
});

t.test('a worker that is not connected cannot be drained', async (t) => {
  const asked: string[] = [];
  const daemon = await connectDaemon(t, {
    drainWorker: (name) => {
      asked.push(name);
      return undefined;
    },
  });
  const answer = await daemon.ask({ kind: 'drainWorker', requestId: 1, workerId: 'bash-7' });
  t.match(answer, { kind: 'refused', code: 'UNKNOWN_WORKER', message: /bash-7/ });
  t.same(asked, ['bash-7']);
});

t.test('what the controller rejects is refused in its words, a fault of ours as one', async (t) => {
  let error: Error = new ScriptdError('NOT_FINISHED', 'the task is running');
  const daemon = await connectDaemon(t, { retry: () => Promise.reject(error) });
  const ask = () => daemon.ask({ kind: 'retryTask', requestId: 7, taskId });
  t.same(await ask(), {
    kind: 'refused',
    requestId: 7,
    code: 'NOT_FINISHED',
    message: 'the task is running',
  });
  error = Object.assign(new ScriptdError('GROUP_OVERLOADED', 'x'.repeat(5_000)), {
    field: 'group',
    retryAfterMs: 1_500.5,
  });
  t.match(await ask(), { code: 'GROUP_OVERLOADED', field: 'group', retryAfterMs: 1_501 });
  error = new ScriptdError('STORE_FULL', 'no room');
  t.match(await ask(), { code: 'STORE_FULL' });
  error = new ScriptdError('ENOENT', 'no such file');
  t.match(await ask(), { code: 'INTERNAL', message: /no such file/ });
  error = new TypeError('x is not a function');
  t.match(await ask(), { code: 'INTERNAL' });
});

t.test('a replayed submission does not own its task', async (t) => {
  const cancelled: string[] = [];
  const unfinished = new Set([taskId]);
  const daemon = await connectDaemon(t, {
    submit: (_task, stored) => stored(pending(), true),
    cancel: (id) => void cancelled.push(id),
    isUnfinished: (id) => unfinished.has(id),
    read: async () => finished(),
  });
  const submit = (requestId: number, reply: 'stored' | 'finished') =>
    daemon.send({ kind: 'submit', requestId, reply, task: { code: '' } });
  submit(1, 'stored');
  t.match(await daemon.next(), { kind: 'task', requestId: 1, replayed: true });
  submit(2, 'finished');
  submit(3, 'finished');
  daemon.send({ kind: 'forget', requestId: 2 });
  submit(4, 'stored');
  t.match(await daemon.next(), { requestId: 4 }, 'the forget has been read');
  t.same(cancelled, []);
  daemon.watches.finished(finished());
  t.match(await daemon.next(), { requestId: 3, task: { state: 'finished' } });
  unfinished.clear();
  submit(5, 'finished');
  t.match(await daemon.next(), { requestId: 5, task: { state: 'finished' } }, 'it was finished');
});

t.test('queues and schedules are answered, and told of when they are not there', async (t) => {
  const queue = {
    type: 'python',
    paused: true,
    ready: 0,
    waiting: 0,
    running: 0,
    workers: 1,
    slots: 2,
  };
  const summary = {
    id: 's',
    cron: '@daily',
    timeZone: 'UTC',
    missed: 'skip',
    enabled: true,
  } as const;
  const schedule = { ...summary, task: { code: '' } };
  const daemon = await connectDaemon(t, {
    queues: () => [queue],
    pauseQueue: async (type) => (type === 'python' ? queue : undefined),
    resumeQueue: async () => undefined,
    schedules: () => [summary],
    schedule: (id) => (id === 's' ? schedule : undefined),
    putSchedule: async (how, put) => ({ schedule: put, created: how === 'create' }),
    setScheduleEnabled: async (id, enabled) => (id === 's' ? { ...schedule, enabled } : undefined),
    deleteSchedule: async (id) => id === 's',
  });
  const queues = { kind: 'queueReports', requestId: 1, queues: [queue] };
  t.same(await daemon.ask({ kind: 'queues', requestId: 1 }), queues);
  t.same(await daemon.ask({ kind: 'pauseQueue', requestId: 1, type: 'python' }), queues);
  for (const kind of ['pauseQueue', 'resumeQueue'] as const) {
    t.match(await daemon.ask({ kind, requestId: 1, type: 'perl' }), { code: 'UNKNOWN_TYPE' });
  }
  t.match(await daemon.ask({ kind: 'listSchedules', requestId: 1 }), { schedules: [summary] });
  t.match(await daemon.ask({ kind: 'getSchedule', requestId: 1, scheduleId: 's' }), { schedule });
  const put = { kind: 'putSchedule', requestId: 1, how: 'create', schedule } as const;
  t.match(await daemon.ask(put), { kind: 'schedule', schedule, created: true });
  const turn = { kind: 'setScheduleEnabled', requestId: 1, scheduleId: 's' } as const;
  for (const enabled of [true, false]) {
    const answer = { kind: 'schedule', requestId: 1, schedule: { ...schedule, enabled } };
    t.same(await daemon.ask({ ...turn, enabled }), answer);
    const none = await daemon.ask({ ...turn, enabled, scheduleId: 'none' });
    t.match(none, { code: 'UNKNOWN_SCHEDULE' });
  }
  const gone = { kind: 'deleteSchedule', requestId: 1, scheduleId: 's' } as const;
  t.same(await daemon.ask(gone), { kind: 'done', requestId: 1 });
  for (const kind of ['getSchedule', 'deleteSchedule'] as const) {
    const answer = await daemon.ask({ kind, requestId: 1, scheduleId: 'none' });
    t.match(answer, { code: 'UNKNOWN_SCHEDULE' });
  }
});

t.test('an answer that fits into no frame is refused, and ends nothing', async (t) => {
  const huge = finished({ stdout: Buffer.alloc(limits.frameBytesMax) });
  let view: TaskView = huge;
  const daemon = await connectDaemon(t, {
    read: async () => view,
    isUnfinished: () => true,
    cancel: () => undefined,
    schedules: () => Array(1).fill({ id: 'x'.repeat(limits.frameBytesMax) }),
    report: (requestId) => ({
      ...{ kind: 'report', requestId, ready: false, draining: false, pending: 0, running: 0 },
      ...{ missing: ['x'.repeat(limits.frameBytesMax)], workers: [] },
    }),
  });
  const refused = { kind: 'refused', code: 'INTERNAL', message: /could not answer/ };
  t.match(await daemon.ask({ kind: 'get', requestId: 1, taskId }), { ...refused, requestId: 1 });
  t.match(await daemon.ask({ kind: 'listSchedules', requestId: 2 }), { ...refused, requestId: 2 });
  t.match(await daemon.ask({ kind: 'status', requestId: 3 }), { ...refused, requestId: 3 });
  daemon.send({ kind: 'watch', requestId: 4, taskId });
  daemon.send({ kind: 'cancelTask', requestId: 5, taskId });
  t.match(await daemon.ask({ kind: 'get', requestId: 6, taskId }), refused, 'both are there');
  daemon.watches.finished(huge);
  t.match(await daemon.next(), { ...refused, requestId: 4 });
  t.match(await daemon.next(), { ...refused, requestId: 5 });
  view = finished();
  t.match(await daemon.ask({ kind: 'get', requestId: 7, taskId }), { kind: 'task' });
});
