import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { systemClock } from '../../src/clock.js';
import { Controller } from '../../src/controller/controller.js';
import type { WorkerManager } from '../../src/controller/manager.js';
import { policyFrom } from '../../src/controller/policy.js';
import { limits } from '../../src/limits.js';
import { createLog } from '../../src/log.js';
import { parseAddress } from '../../src/poll/address.js';
import { Poller } from '../../src/poll/poller.js';
import { evaluatorOf } from '../../src/scheduler/own-evaluator.js';
import { MemoryStore } from '../../src/store/memory.js';
import type { Exception } from '../../src/task.js';
import { encodeFrame } from '../../src/wire/codec.js';
import { Connection } from '../../src/wire/connection.js';
import type { Message } from '../../src/wire/messages.js';
import { submission } from '../store/fixtures.js';

const token = Buffer.from('a wire token for the tests only');

/** As large as results may be that the protocol takes, and no answer. */
function hugeException(): Exception {
  const locals = Object.fromEntries(
    Array.from({ length: limits.localsMax }, (_, index) => [
      `${index}`.padEnd(5_500, 'x'),
      'x'.repeat(limits.localBytesMax),
    ]),
  );
  const frames = Array.from({ length: limits.exceptionFramesMax }, () => ({ file: 'f', locals }));
  return { message: 'm', frames };
}

t.test('neither a task nor a result too large for a frame ends the controller', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'scriptd-large-'));
  const address = parseAddress(`unix:${join(folder, 'worker.sock')}`);
  const poller = new Poller();
  const log = createLog('test', 'silent');
  const store = new MemoryStore();
  const manager: WorkerManager = {
    types: ['noop'],
    start: ({ onAdded }) =>
      onAdded({ name: 'noop-1', type: 'noop', slots: 1, address, local: true }),
    ensure: () => t.fail('it listens'),
    ...{ replace: () => undefined, stop: () => undefined, finish: async () => undefined },
  };
  const controller = new Controller({
    ...{ token, store, manager, clock: systemClock, log },
    listen: parseAddress(`unix:${join(folder, 'controller.sock')}`),
    local: { role: 'controller', id: 'controller', instance: 'c' },
    policies: new Map([['noop', policyFrom()]]),
    evaluator: evaluatorOf(undefined, () => undefined),
  });
  t.teardown(async () => {
    controller.close();
    poller.close();
    await store.close();
    rmSync(folder, { recursive: true });
  });

  // A worker whose results are as large as its script says.
  let emitter: Connection | undefined;
  const onMessage = (message: Message) => {
    if (message.kind !== 'execute') return;
    const { taskId, attempt, code } = message;
    emitter?.send({
      ...{ kind: 'result', taskId, attempt },
      result: {
        ...{ outcome: 'success', exitCode: 0, truncated: { stdout: false, stderr: false } },
        ...{ stdout: Buffer.from(code), stderr: Buffer.alloc(0) },
        phases: { startMs: 1, runMs: 1, drainMs: 1 },
        ...(code === 'huge' && { exception: hugeException() }),
      },
    });
  };
  poller.listen(address, {}, (socket) => {
    const local = { role: 'worker', id: 'noop-1', instance: 'w' } as const;
    const serves = ['receiver', 'emitter'] as const;
    const onOpen = ({ channel }: { channel: string }, connection: Connection) => {
      if (channel !== 'emitter') return;
      emitter = connection;
      connection.send({
        ...{ kind: 'inventory', type: 'noop', slots: 1, prefetch: 0, pid: 1 },
        ...{ isolation: { level: 'none', layers: [] }, running: [], unacknowledged: [] },
      });
    };
    const handlers = { onOpen, onMessage, onClose: () => undefined };
    new Connection(socket, 'acceptor', { local, token, serves }, handlers);
  });

  const retry = { maxAttempts: 2, baseMs: 1, capMs: 1 };
  const of = (code: string, more = {}) => submission({}, { code, retry, ...more });
  const check = { schema: { description: 'x'.repeat(limits.frameBytesMax) } };
  // As another version let it in.
  const [large, huge, small] = [of('large', { check }), of('huge'), of('small')];
  await store.submit([large, huge, small]);
  await controller.start();
  const finished = async (id: string) => {
    for (;;) {
      const view = await controller.read(id);
      if (view?.state === 'finished') return view;
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  };
  t.match(await finished(large.view.id), {
    ...{ outcome: 'internal_fail', code: 'START_FAILED', reason: /too large/, deadLetter: true },
    attempts: { length: 2 },
  });
  const view = await finished(huge.view.id);
  const reason = /^The worker told a result of \d+ bytes; at most \d+ are possible\.$/;
  t.match(view, { outcome: 'internal_fail', code: 'INTERNAL', reason });
  t.ok(encodeFrame({ kind: 'task', requestId: 1, task: view }).length < 10_000);
  t.match(await finished(small.view.id), { outcome: 'success', attempt: 1 });
});
