import t from 'tap';
import type { TaskView } from '../../src/task.js';
import { webhookLimits } from '../../src/webhooks/limits.js';
import { bodyOf, noticeOf } from '../../src/webhooks/notice.js';
import { finished } from '../http/fake-controller.js';

const told = (changes: Partial<TaskView>) =>
  JSON.parse(bodyOf(noticeOf(finished(changes)))) as { data: Record<string, unknown> };
const { outputBytesMax } = webhookLimits;

t.test('a small task is told whole', (t) => {
  const { id } = finished();
  const { data, ...rest } = told({});
  t.same(rest, { type: 'task.finished', timestamp: '2023-11-14T22:13:21.000Z' });
  t.match(data, { id, stdout: '2\n', stdoutEncoding: 'utf-8', links: { task: `/v1/tasks/${id}` } });
  t.notOk('cut' in data);
  t.end();
});

t.test('of a large one its beginning, in whole characters', (t) => {
  const text = `x${'é'.repeat(outputBytesMax)}`;
  const { data } = told({ stdout: Buffer.from(text), stderr: Buffer.alloc(99_999, 0xff) });
  t.equal(data.stdoutEncoding, 'utf-8');
  t.equal(data.stdout, text.slice(0, outputBytesMax / 2), 'half a character is left out');
  t.equal(data.stderrEncoding, 'base64');
  t.equal(Buffer.from(String(data.stderr), 'base64').length, outputBytesMax);
  t.same(data.cut, ['stdout', 'stderr']);
  t.end();
});

t.test('whatever a task leaves, what is sent is bounded', (t) => {
  const content = Buffer.alloc(4_000_000);
  const { data } = told({
    stdout: Buffer.alloc(5_000_000, 1),
    stderr: Buffer.alloc(5_000_000, 1),
    files: [{ name: 'big', content }],
    exception: { message: 'm'.repeat(16_384), frames: Array(50).fill({ file: 'f'.repeat(4_096) }) },
    attempts: Array.from({ length: 100 }, (_, i) => ({
      ...{ attempt: i + 1, worker: 'w', startedAt: 1, reason: 'r'.repeat(4_096) },
    })),
  });
  t.same(data.files, [{ name: 'big', bytes: 4_000_000 }]);
  t.same(data.cut, ['stdout', 'stderr', 'exception', 'attempts']);
  t.match((data.attempts as unknown[]).at(-1), { attempt: 100 });
  t.ok(JSON.stringify(data).length < 1024 * 1024);
  t.end();
});
