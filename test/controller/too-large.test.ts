import t from 'tap';
import { limits } from '../../src/limits.js';
import type { Exception } from '../../src/task.js';
import { encodeFrame } from '../../src/wire/codec.js';
import { resultOf } from '../scheduler/rig.js';
import { submission } from '../store/fixtures.js';
import { controllerRig, type } from './rig.js';

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
  const { controller, store, worker } = controllerRig(t);
  // Its results are as large as its script says.
  worker.onExecute = ({ taskId, attempt, code }) => {
    const exception = code === 'huge' && { exception: hugeException() };
    worker.send({ kind: 'result', taskId, attempt, result: { ...resultOf(), ...exception } });
  };
  const retry = { maxAttempts: 2, baseMs: 1, capMs: 1 };
  const of = (code: string, more = {}) => submission({ type }, { type, code, retry, ...more });
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
