import t from 'tap';
import { limits } from '../../src/limits.js';
import type { Result } from '../../src/task.js';
import { encodeFrame } from '../../src/wire/codec.js';
import type { Message, MessageOf } from '../../src/wire/messages.js';
import { deliverable } from '../../src/worker/deliverable.js';
import { Emitter } from '../../src/worker/emitter.js';
import { workerLimits } from '../../src/worker/limits.js';

const inventory: MessageOf<'inventory'> = {
  kind: 'inventory',
  type: 'noop',
  slots: 1,
  prefetch: 0,
  pid: 1,
  isolation: { level: 'none', layers: [] },
  running: [],
  unacknowledged: [],
};

const result = (stdout: Uint8Array): Result => ({
  outcome: 'success',
  stdout,
  stderr: Buffer.alloc(0),
  truncated: { stdout: false, stderr: false },
  phases: { startMs: 0, runMs: 0, drainMs: 0 },
});

/** A connection whose far end reads only when the test says so. */
class Line {
  queuedBytes = 0;
  readonly sent: string[] = [];
  send(message: Message): boolean {
    this.sent.push(message.kind === 'result' ? message.taskId : message.kind);
    if (message.kind === 'result') this.queuedBytes += message.result.stdout.length;
    return true;
  }
}

const key = (taskId: string) => ({ taskId, attempt: 1 });

t.test('results wait while the controller does not read, and go on in order', async (t) => {
  const emitter = new Emitter();
  const line = new Line();
  emitter.attach(line, inventory);
  const half = Buffer.alloc(workerLimits.sendWindowBytes / 2 + 1);
  for (const id of ['a', 'b', 'c', 'd']) emitter.add(key(id), result(half));
  t.strictSame(line.sent, ['inventory', 'a', 'b']);
  emitter.pump();
  t.strictSame(line.sent, ['inventory', 'a', 'b']);
  line.queuedBytes = 0;
  emitter.acknowledge([key('a'), key('c')]);
  t.strictSame(line.sent, ['inventory', 'a', 'b', 'd'], 'c is known to be durable by now');
  t.equal(emitter.size, 2);
});

t.test('a new connection is told all that is held, an old one nothing more', async (t) => {
  const emitter = new Emitter();
  emitter.add(key('a'), result(Buffer.alloc(1)));
  const first = new Line();
  emitter.attach(first, inventory);
  const second = new Line();
  emitter.attach(second, inventory);
  emitter.detach(first);
  emitter.add(key('b'), result(Buffer.alloc(1)));
  emitter.started(key('c'));
  await undefined;
  t.strictSame(first.sent, ['inventory', 'a']);
  t.strictSame(second.sent, ['inventory', 'a', 'b', 'started']);
  emitter.detach(second);
  emitter.started(key('d'));
  await undefined;
  t.equal(second.sent.length, 4);
});

t.test(
  'that an attempt began is told before what follows it, unless its result does',
  async (t) => {
    const emitter = new Emitter();
    const line = new Line();
    emitter.attach(line, inventory);
    emitter.started(key('a'));
    emitter.add(key('a'), result(Buffer.alloc(1)));
    emitter.started(key('b'));
    emitter.started(key('c'));
    t.strictSame(line.sent, ['inventory', 'a', 'started']);
    emitter.add(key('b'), result(Buffer.alloc(1)));
    t.strictSame(line.sent.slice(3), ['started', 'b'], 'c has begun, and b had been told');
    emitter.started(key('d'));
    emitter.output({
      kind: 'output',
      followId: 1,
      stdout: Buffer.alloc(1),
      stderr: Buffer.alloc(0),
    });
    t.strictSame(line.sent.slice(5), ['started', 'output']);
    emitter.started(key('e'));
    await undefined;
    t.strictSame(line.sent.slice(7), ['started']);
    emitter.started(key('f'));
    emitter.detach(line);
    const next = new Line();
    emitter.attach(next, inventory);
    await undefined;
    t.strictSame(next.sent, ['inventory', 'a', 'b'], 'f stands in the inventory');
  },
);

t.test('the account of held bytes returns to nothing', async (t) => {
  const emitter = new Emitter();
  for (const id of ['a', 'b']) emitter.add(key(id), result(Buffer.alloc(1000)));
  t.ok(emitter.heldBytes > 2000);
  emitter.acknowledge([key('a'), key('b'), key('a'), key('unknown')]);
  t.strictSame([emitter.heldBytes, emitter.size], [0, 0]);
});

t.test(
  'a result that cannot be encoded is told as an error of ours, and held as that',
  async (t) => {
    const emitter = new Emitter();
    const told: Message[] = [];
    const line = {
      queuedBytes: 0,
      send: (message: Message) => {
        encodeFrame(message);
        told.push(message);
        return true;
      },
    };
    emitter.attach(line, inventory);
    emitter.add(key('a'), result(Buffer.alloc(limits.frameBytesMax)));
    emitter.add(key('b'), result(Buffer.alloc(1)));
    const fault = { outcome: 'internal_fail', code: 'INTERNAL', reason: /cannot be told/ };
    t.match(told, [
      { kind: 'inventory' },
      { taskId: 'a', result: fault },
      { taskId: 'b', result: { outcome: 'success' } },
    ]);
    t.ok(emitter.heldBytes < 2000);
    emitter.attach(line, inventory);
    t.match(told.slice(3), [
      { kind: 'inventory' },
      { taskId: 'a', result: fault },
      { taskId: 'b' },
    ]);
    emitter.acknowledge([key('a'), key('b')]);
    t.strictSame([emitter.heldBytes, emitter.size], [0, 0]);
  },
);

t.test('a result that is not as the protocol has it is told as an error of ours', async (t) => {
  const attempt = { taskId: '01890a5d-ac96-774b-bcce-b302099a8057', attempt: 1 };
  const good = result(Buffer.from('x'));
  t.equal(deliverable(attempt, good), good);
  const file = { name: 'x'.repeat(limits.fileNameBytesMax + 1), content: Buffer.alloc(0) };
  const told = deliverable(attempt, { ...good, files: [file] });
  t.match(told, { outcome: 'internal_fail', code: 'INTERNAL', reason: /files.*name/ });
  let nested: unknown = 'x';
  for (let depth = 0; depth < 5_000; depth++) nested = [nested];
  for (const name of ['a', 'a\nb', 'a\rb', 'a\u2028b']) {
    const frames = [{ file: 'f', locals: { [name]: nested as string } }];
    const deep = deliverable(attempt, { ...good, exception: { message: 'm', frames } });
    t.match(deep, { code: 'INTERNAL', reason: /nested deeper than 16/ }, encodeURIComponent(name));
  }
});
