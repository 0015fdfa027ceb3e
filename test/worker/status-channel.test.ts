import { once } from 'node:events';
import { Socket } from 'node:net';
import fc from 'fast-check';
import t from 'tap';
import { encodeCollectOrder, isDone } from '../../src/worker/collect.js';
import { startProcess } from '../../src/worker/sandbox.js';
import { StatusChannel } from '../../src/worker/status-channel.js';
import { skip, strictPlan } from './sandbox-plans.js';
import { closeAll, drained, ended as reaped, shell } from './sandbox-process.js';

/** As native/sandbox/inside/status.h has them. */
const ended = Buffer.from([0x45 /* E */, 0, 3, 0, 0]);
const done = Buffer.from('D');

function content(name: string, bytes: Uint8Array | string): Buffer {
  return Buffer.concat([record('C', name, bytes.length), Buffer.from(bytes)]);
}

function record(kind: 'C' | 'N', name: string, number: number): Buffer {
  const head = Buffer.alloc(9, kind);
  head.writeUInt32LE(name.length, 1);
  head.writeUInt32LE(number, 5);
  return Buffer.concat([head, Buffer.from(name)]);
}

function channel(...chunks: Uint8Array[]): StatusChannel {
  const status = new StatusChannel();
  for (const chunk of chunks) status.push(Buffer.from(chunk));
  return status;
}

t.test('done: the end of the script, whole records, and a D as the last letter', (t) => {
  t.ok(channel(ended, done).isDone);
  t.ok(channel(ended, content('a', 'text'), record('N', 'b', 2), done).isDone);
  t.ok(channel(ended, content('D', 'D'), done).isDone, 'a file called D that holds one');
  t.match(channel(ended, content('a', 'text'), done).collected(), {
    files: [{ name: 'a', content: Buffer.from('text') }],
    notCollected: [],
  });
  t.end();
});

t.test('not done: nothing said, no D, or anything but whole records before it', (t) => {
  const failed = Buffer.from('F\x02\0\0\0execve\0/bin/x');
  const rows: Record<string, Uint8Array[]> = {
    'nothing, as of a first process that was killed': [],
    'a D alone': [done],
    'a D where the script has not ended': [content('a', 'x'), done],
    'a start that failed': [failed, done],
    'an end of which a byte is missing': [ended.subarray(0, 4), done],
    'no D': [ended],
    'records without a D': [ended, content('a', 'text')],
    'a content that ends in a D': [ended, content('a', 'text D')],
    'a content of a D alone': [ended, content('a', 'D')],
    'a name that ends in a D': [ended, record('N', 'D', 2)],
    'a content that is cut before its D': [ended, content('a', 'text D').subarray(0, -1)],
    'a cut content and a D in its place': [ended, content('a', 'text').subarray(0, -2), done],
    'a content that holds another record and a D': [
      ended,
      content('a', Buffer.concat([content('b', ''), done])),
    ],
    'a second D': [ended, done, done],
    'something after it': [ended, done, content('a', 'text')],
    'a record of no kind': [ended, Buffer.alloc(9, 'X'), done],
  };
  for (const [what, chunks] of Object.entries(rows)) t.notOk(channel(...chunks).isDone, what);
  t.end();
});

t.test('whatever files hold, of all beginnings of the stream only the whole is done', (t) => {
  const name = fc.stringMatching(/^[CDNE]{1,4}$/);
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 20 }),
    fc.constantFrom('D', 'CD', content('D', 'D').toString('latin1')).map((text) => {
      return Uint8Array.from(Buffer.from(text, 'latin1'));
    }),
  );
  const records = fc.array(
    fc.oneof(
      fc.tuple(name, bytes).map(([name, bytes]) => content(name, bytes)),
      fc.tuple(name, fc.nat()).map(([name, errno]) => record('N', name, errno)),
    ),
    { maxLength: 4 },
  );
  fc.assert(
    fc.property(records, fc.nat(), (records, at) => {
      const all = Buffer.concat([ended, ...records, done]);
      const cut = at % all.length;
      return (
        channel(all.subarray(0, cut), all.subarray(cut)).isDone &&
        !channel(all.subarray(0, cut)).isDone
      );
    }),
    { numRuns: 1000 },
  );
  t.end();
});

t.test('chunks are copied, and cleared they say nothing', (t) => {
  const chunk = Buffer.concat([ended, done]);
  const status = new StatusChannel();
  status.push(chunk);
  chunk.fill(0);
  t.match(status.said(), { kind: 'ended', exitCode: 3 });
  t.ok(status.isDone);
  status.clear();
  t.equal(status.said(), undefined);
  t.notOk(status.isDone);
  t.end();
});

t.test('isDone reads a view at an offset', (t) => {
  const bytes = new Uint8Array(Buffer.concat([Buffer.from('DDD'), content('a', 'x'), done]));
  t.ok(isDone(bytes.subarray(3)));
  t.notOk(isDone(bytes));
  t.end();
});

/** What a real first process says of a script that leaves a large file which ends in a D. */
async function told(whileTelling: (pid: number) => void): Promise<StatusChannel> {
  const script = 'read line; head -c 900000 /dev/zero >file; printf D >>file; exit 3';
  const started = startProcess(shell(script, { cwd: '/work', stdin: 'pipe', strict: strictPlan }));
  const { pid, pidfd, stdin = -1, stdout, stderr, status: fd = -1 } = started;
  const socket = new Socket({ fd });
  const order = { patterns: ['file'], filesMax: 1, bytesMax: 2 ** 20 };
  await new Promise((resolve) => socket.write(encodeCollectOrder(order), resolve));
  new Socket({ fd: stdin, readable: false }).end('go\n');
  await Promise.all([drained(stdout), drained(stderr)]);
  const status = new StatusChannel();
  // Until it hands out the file, which is more than the socket holds: it is not done before that is read.
  for (let bytes = 0; bytes <= ended.length; ) {
    await once(socket, 'readable');
    const chunk: Buffer = socket.read() ?? Buffer.alloc(0);
    bytes += chunk.length;
    status.push(chunk);
  }
  whileTelling(pid);
  for await (const chunk of socket) status.push(chunk);
  closeAll(pidfd);
  await reaped(pid);
  return status;
}

t.test('a real first process says it last of all', { skip }, async (t) => {
  const status = await told(() => undefined);
  t.match(status.said(), { kind: 'ended', exitCode: 3 });
  t.ok(status.isDone);
  t.equal(status.collected().files[0]?.content.at(-1), 'D'.charCodeAt(0));
});

t.test('one that is killed while it hands out files has not said it', { skip }, async (t) => {
  const status = await told((pid) => process.kill(pid, 'SIGKILL'));
  t.match(status.said(), { kind: 'ended', exitCode: 3 });
  t.notOk(status.isDone);
  t.same(status.collected().files, [], 'what was cut is not taken');
});
