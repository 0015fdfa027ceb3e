import t from 'tap';
import { Followers, type FollowersOptions, type Progress } from '../../src/controller/followers.js';
import { controllerLimits } from '../../src/controller/limits.js';
import { errorCode } from '../../src/errors.js';
import type { AttemptRecord, TaskView } from '../../src/task.js';
import { cursorStart, type TaskCursor } from '../../src/task-cursor.js';
import type { Message } from '../../src/wire/messages.js';
import { finished, pending, taskId } from '../http/fake-controller.js';
import { connectDaemon } from './connected-daemon.js';

const running1: TaskCursor = { attempt: 1, state: 'running', stdoutOffset: 4, stderrOffset: 0 };
const bytes = (text: string) => Buffer.from(text);
const record: AttemptRecord = { attempt: 1, worker: 'w', startedAt: 5 };
const running = () =>
  pending({ state: 'running', attempt: 1, attempts: [record], startedAt: 5, worker: 'w' });

/** Everything asynchronous in `Followers` is a read, which is done after this. */
const settled = () => new Promise((resolve) => setImmediate(resolve));

/** Its store and its workers are what the test says. */
function rig() {
  const world: { task: TaskView | undefined; attempt: AttemptRecord | undefined } = {
    task: pending(),
    attempt: undefined,
  };
  const sent: Message[] = [];
  const told: (Progress | string | undefined)[] = [];
  const options: FollowersOptions = {
    read: async () => world.task,
    flying: () => world.attempt,
    send: (workerId, message) => void (workerId === 'w' && sent.push(message)),
  };
  const followers = new Followers(options);
  const add = (cursor: TaskCursor, id = taskId) =>
    followers.add({
      ...{ taskId: id, cursor },
      answer: (progress) => told.push(progress),
      refuse: (error) => told.push(errorCode(error)),
    });
  return { world, sent, told, followers, add };
}

t.test('a task that has moved past the cursor is told at once, else when it moves', async (t) => {
  const { world, sent, told, followers, add } = rig();
  add(cursorStart);
  await settled();
  t.same(told, [{ task: world.task }]);
  add({ ...cursorStart, state: 'pending' });
  await settled();
  followers.changed(taskId);
  await settled();
  t.equal(told.length, 1, 'nothing has come of it');
  world.task = running();
  followers.changed('01890a5d-ac96-774b-bcce-b302099a8058');
  await settled();
  t.equal(told.length, 1, 'another task');
  followers.changed(taskId);
  await settled();
  t.same(told[1], { task: world.task });
  add(running1);
  world.task = finished();
  followers.changed(taskId);
  await settled();
  t.same(told[2], { task: world.task });
  add({ ...running1, state: 'end' });
  await settled();
  t.same(told[3], { task: world.task }, 'nobody waits for what is finished');
  t.equal(followers.size, 0);
  t.same(sent, [], 'no worker was asked');
});

t.test('a change that comes while the task is read is not missed', async (t) => {
  const { world, told, followers, add } = rig();
  add({ ...cursorStart, state: 'pending' });
  queueMicrotask(() => {
    world.task = running();
    followers.changed(taskId);
  });
  await settled();
  t.same(told, [{ task: running() }]);
});

t.test('of the attempt that runs its worker is asked, and told when nobody waits', async (t) => {
  const { world, sent, told, followers, add } = rig();
  world.task = running();
  world.attempt = record;
  add(running1);
  const follow = {
    kind: 'follow',
    followId: 1,
    taskId,
    attempt: 1,
    stdoutOffset: 4,
    stderrOffset: 0,
  };
  t.same(sent.splice(0), [follow]);
  followers.changed(taskId);
  await settled();
  t.same(sent, [], 'it is asked once');
  const output = { kind: 'output', stdout: bytes('more'), stderr: bytes('') } as const;
  followers.output('another', { ...output, followId: 1 });
  followers.output('another', { ...output, followId: 2 });
  t.same(told, [], 'nobody has asked that one');
  followers.output(record.worker, { ...output, followId: 1 });
  t.same(told.splice(0), [{ output: { stdout: bytes('more'), stderr: bytes('') } }]);
  t.same(sent, [], 'what is spent is not taken back');
  const end = add(running1);
  end();
  end();
  t.match(sent.splice(0), [
    { kind: 'follow', followId: 2 },
    { kind: 'unfollow', followId: 2 },
  ]);
  followers.output(record.worker, { ...output, followId: 2 });
  t.same(told, [], 'it crossed');
  t.equal(followers.size, 0);
});

t.test('a worker that is connected anew is asked anew', async (t) => {
  const { world, sent, followers, add } = rig();
  world.attempt = record;
  add(running1);
  sent.length = 0;
  followers.connected('other');
  t.same(sent, []);
  followers.connected('w');
  t.match(sent, [{ kind: 'follow', followId: 1 }]);
});

t.test('the attempt after one that was lost is told of, and its worker asked', async (t) => {
  const { world, sent, told, followers, add } = rig();
  world.attempt = record;
  add(running1);
  world.attempt = undefined;
  world.task = pending({ attempt: 1, attempts: [{ ...record, finishedAt: 9 }] });
  followers.changed(taskId);
  await settled();
  t.same(told.splice(0), [{ task: world.task }]);
  t.match(sent.splice(0), [{ kind: 'follow' }, { kind: 'unfollow', followId: 1 }]);
  add({ ...cursorStart, attempt: 1, state: 'pending' });
  await settled();
  world.attempt = { ...record, attempt: 2 };
  followers.changed(taskId);
  await settled();
  t.same(told, [], 'that it is dispatched is told when it is stored');
  world.task = pending({ state: 'running', attempt: 2 });
  followers.changed(taskId);
  await settled();
  t.match(told, [{ task: { attempt: 2, state: 'running' } }]);
});

t.test('no such task, and no more than there may be', async (t) => {
  const { world, told, followers, add } = rig();
  const waiting = { ...cursorStart, state: 'pending' } as const;
  const ends = Array.from({ length: controllerLimits.followersPerTaskMax }, () => add(waiting));
  t.throws(() => add(waiting), { code: 'TOO_MANY_STREAMS' });
  ends[0]?.();
  add(waiting);
  await settled();
  t.same(told, []);
  world.task = undefined;
  add(waiting, '01890a5d-ac96-774b-bcce-b302099a8058');
  await settled();
  t.same(told, ['UNKNOWN_TASK']);
  t.equal(followers.size, controllerLimits.followersPerTaskMax);
});

t.test('on the wire: each is answered once; what is forgotten is taken back', async (t) => {
  const sent: string[] = [];
  const daemon = await connectDaemon(
    t,
    {},
    {
      read: async () => running(),
      flying: () => record,
      send: (_workerId, { kind }) => void sent.push(kind),
    },
  );
  const ask = (requestId: number, cursor: TaskCursor) =>
    daemon.send({ kind: 'followTask', requestId, taskId, cursor });
  ask(1, cursorStart);
  t.match(await daemon.next(), { kind: 'progress', requestId: 1, task: { state: 'running' } });
  ask(2, running1);
  ask(3, running1);
  ask(3, running1);
  t.match(await daemon.next(), { kind: 'refused', requestId: 3, code: 'OVERLOADED' });
  t.same(sent.splice(0), ['follow', 'follow']);
  const output = { kind: 'output', stdout: bytes('x'), stderr: bytes('') } as const;
  daemon.followers.output(record.worker, { ...output, followId: 2 });
  t.match(await daemon.next(), { kind: 'progress', requestId: 2, output: {} });
  daemon.send({ kind: 'forget', requestId: 3 });
  ask(3, cursorStart);
  t.match(await daemon.next(), { kind: 'progress', requestId: 3 }, 'its number is free again');
  t.same(sent.splice(0), ['unfollow']);
  ask(4, running1);
  ask(5, cursorStart);
  await daemon.next();
  t.equal(daemon.followers.size, 1);
  daemon.close();
  while (daemon.followers.size > 0) await settled();
  t.same(sent, ['follow', 'unfollow'], 'a daemon that goes follows nothing any more');
});
