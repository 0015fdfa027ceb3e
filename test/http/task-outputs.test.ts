import fc from 'fast-check';
import t from 'tap';
import { readRange } from '../../src/http/byte-range.js';
import { assertProblem, startDaemon } from './daemon.js';
import { answerWith, finished, pending, taskId } from './fake-controller.js';

const path = `/v1/tasks/${taskId}/stdout`;

t.test('a part of an output is answered as a part', async (t) => {
  const { ask, controller } = await startDaemon(t);
  const stdout = Buffer.from('0123é6789');
  controller.behaviour = answerWith(finished({ stdout, stderr: Buffer.from('err') }));
  const asked = (range: string) => ask({ path, headers: { range } });
  const size = stdout.length;
  for (const [range, first, last] of [
    ['bytes=0-3', 0, 3],
    ['bytes=4-', 4, size - 1],
    ['bytes=-2', size - 2, size - 1],
    ['bytes=-1000', 0, size - 1],
    ['bytes=0-100000', 0, size - 1],
    ['Bytes=0-0', 0, 0],
  ] as const) {
    const answer = await asked(range);
    t.equal(answer.status, 206, range);
    t.same(answer.body, stdout.subarray(first, last + 1), range);
    t.equal(answer.headers['content-range'], `bytes ${first}-${last}/${size}`);
    t.equal(answer.headers['x-task-id'], taskId);
    t.equal(answer.headers['content-type'], 'text/plain; charset=utf-8');
  }
  const cut = await asked('bytes=5-5');
  t.same(cut.body, stdout.subarray(5, 6), 'also within a character');
  const err = await ask({
    path: path.replace('stdout', 'stderr'),
    headers: { range: 'bytes=1-1' },
  });
  t.equal(err.text, 'r');
});

t.test('what is no single range of bytes is answered with the whole', async (t) => {
  const { ask, controller } = await startDaemon(t);
  controller.behaviour = answerWith(finished({ stdout: Buffer.from('0123456789') }));
  for (const range of [
    '',
    'bytes',
    'bytes=',
    'bytes=-',
    'lines=0-1',
    'bytes=3-1',
    'bytes=0-1,3-4',
    'bytes=a-b',
    'bytes=0-1x',
    '0-1',
  ]) {
    const answer = await ask({ path, headers: { range } });
    t.equal(answer.status, 200, range);
    t.equal(answer.text, '0123456789', range);
    t.equal(answer.headers['accept-ranges'], 'bytes');
  }
  const headers = { range: 'bytes=0-1', 'if-range': '"a"' };
  t.equal((await ask({ path, headers })).status, 200, 'of another output, for all that is known');
  const head = await ask({ method: 'HEAD', path, headers: { range: 'bytes=0-1' } });
  t.equal(head.status, 200);
  t.equal(head.headers['content-length'], '10');
});

t.test('a range beyond the output is none', async (t) => {
  const { ask, controller } = await startDaemon(t);
  controller.behaviour = answerWith(finished({ stdout: Buffer.from('0123') }));
  for (const range of ['bytes=4-', 'bytes=100-200', 'bytes=-0', 'bytes=999999999999999-']) {
    const answer = await ask({ path, headers: { range } });
    t.match(assertProblem(t, answer, 416, 'RANGE_NOT_SATISFIABLE').detail, /there are 4 bytes/);
    t.equal(answer.headers['content-range'], 'bytes */4');
  }
  controller.behaviour = answerWith(finished({ stdout: Buffer.alloc(0) }));
  assertProblem(
    t,
    await ask({ path, headers: { range: 'bytes=0-' } }),
    416,
    'RANGE_NOT_SATISFIABLE',
  );
  controller.behaviour = answerWith(pending());
  assertProblem(t, await ask({ path, headers: { range: 'bytes=0-' } }), 409, 'NOT_FINISHED');
});

t.test('a range never leads out of the bytes that there are', async () => {
  const number = fc.option(fc.bigInt({ min: 0n, max: 10n ** 17n }), { nil: '' });
  fc.assert(
    fc.property(number, number, fc.integer({ min: 0, max: 100 }), (from, to, size) => {
      try {
        const range = readRange(`bytes=${from}-${to}`, size);
        if (!range) return true;
        return 0 <= range.first && range.first <= range.last && range.last < size;
      } catch (error) {
        return (error as { code: string }).code === 'RANGE_NOT_SATISFIABLE';
      }
    }),
  );
});
