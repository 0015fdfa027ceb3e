import { Packr } from 'msgpackr';
import t from 'tap';
import { type Accepted, intake } from '../../src/controller/intake.js';
import { type PolicyDefinition, policyFrom } from '../../src/controller/policy.js';
import type { Refusal } from '../../src/controller/refusal.js';
import { limits } from '../../src/limits.js';
import { evaluatorOf } from '../../src/scheduler/own-evaluator.js';
import type { Check, LimitsAsked, TaskSpec } from '../../src/task.js';
import { packedBytes } from '../../src/wire/packed-bytes.js';

const { pack } = new Packr({ useRecords: false, variableMapSize: true });

const context = {
  durability: 'memory',
  evaluator: evaluatorOf(undefined, () => undefined),
  wallMs: 1_000,
  nowMs: 7,
} as const;

/** What becomes of a task where python is configured like this. */
function take(spec: TaskSpec, python: PolicyDefinition = {}, shared: LimitsAsked = {}) {
  const policies = new Map([['python', policyFrom(python, shared)]]);
  return intake(spec, { ...context, policies }) as Accepted & Refusal;
}

/** The limits of a python task that asks for these. */
function granted(asked: LimitsAsked, python?: PolicyDefinition, shared?: LimitsAsked) {
  const { submission } = take({ code: '', type: 'python', limits: asked }, python, shared);
  return submission.view.limits;
}

const file = (name: string, size = 0) => ({ name, content: Buffer.alloc(size) });

t.test('a task gets an id, its type, and limits for what it did not ask', async (t) => {
  const { submission, task } = take({ code: 'print(1)', type: 'python', limits: { wallMs: 5 } });
  t.match(submission.view.id, /^[0-9a-f]{8}-[0-9a-f]{4}-7/);
  t.match(submission.view, { state: 'pending', type: 'python', attempt: 0, createdAt: 1_000 });
  t.match(submission.view.limits, { wallMs: 5, outputBytes: limits.outputBytesDefault });
  t.match(task, { id: submission.view.id, type: 'python', wallMs: 5, priority: 0 });
});

t.test('a webhook whose host is too long to be shown is refused', async (t) => {
  for (const host of ['a'.repeat(2_000), 'ü'.repeat(900), `${'ü.'.repeat(100)}com`]) {
    const webhook = { url: `https://${host}/` };
    const refusal = take({ code: '', type: 'python', webhook });
    t.match(refusal, { code: 'INVALID_FIELD', field: 'webhook.url', message: /at most 253/ });
  }
});

t.test('the place in the queue does not hang on the clock on the wall', async (t) => {
  const { submission, task } = take({ code: '', type: 'python' });
  t.equal(task.createdAt, context.nowMs);
  t.equal(submission.view.createdAt, context.wallMs);
});

t.test('who asks for more real time gets as much processor time', async (t) => {
  t.equal(granted({ wallMs: 3_600_000 }).cpuMs, 3_600_000);
  t.equal(granted({ wallMs: 3_600_000, cpuMs: 1_000 }).cpuMs, 1_000);
  t.equal(granted({}).cpuMs, limits.cpuMsDefault);
  t.equal(granted({ wallMs: 3_600_000 }, { limitsMax: { cpuMs: 60_000 } }).cpuMs, 60_000);
  t.equal(granted({ wallMs: 3_600_000 }, { limits: { cpuMs: 5_000 } }).cpuMs, 5_000);
  t.equal(granted({}, { limits: { wallMs: 90_000 } }).cpuMs, 90_000);
  t.equal(granted({}, { limits: { wallMs: 90_000 } }, { cpuMs: 7_000 }).cpuMs, 7_000);
  const shared = { wallMs: 90_000 };
  t.equal(granted({}, { limitsMax: { wallMs: 40_000 } }, shared).cpuMs, 40_000);
});

t.test(
  'asked goes before the type, the type before all types, those before built in',
  async (t) => {
    const shared = { wallMs: 1_000, openFiles: 10, processes: 10 };
    const python = { limits: { wallMs: 2_000, openFiles: 20 } };
    t.match(granted({ wallMs: 3_000 }, python, shared), {
      wallMs: 3_000,
      openFiles: 20,
      processes: 10,
      diskBytes: limits.diskBytesDefault,
    });
  },
);

t.test('memory and files have no limit here unless somebody speaks of them', async (t) => {
  t.notOk('memoryBytes' in granted({}));
  t.notOk('files' in granted({}));
  t.equal(granted({}, {}, { memoryBytes: 1 << 30 }).memoryBytes, 1 << 30);
  t.equal(granted({}, { limits: { files: 100 } }).files, 100);
});

t.test('a maximum holds for a task that does not ask', async (t) => {
  const limitsMax = { wallMs: 1_000, outputBytes: 10, memoryBytes: 64 << 20, files: 50 };
  t.match(granted({}, { limitsMax }, { outputBytes: 100 }), { ...limitsMax, cpuMs: 30_000 });
  const generous = { memoryBytes: 2 ** 40, files: 1_000_000 };
  t.match(granted({}, { limitsMax: generous }), {
    memoryBytes: limits.memoryBytesDefault,
    files: limits.filesDefault,
  });
});

t.test('a limit above the maximum of its type is refused, with the cure', async (t) => {
  const limitsMax = { wallMs: 60_000, files: 5_000 };
  const spec = { code: '', type: 'python', limits: { wallMs: 60_001 } };
  t.match(take(spec, { limitsMax }), {
    code: 'LIMIT_TOO_HIGH',
    field: 'limits.wallMs',
    message:
      /60001.*python.*at most 60000: ask for less, or raise runtimes.python.limitsMax.wallMs/,
  });
  t.equal(granted({ wallMs: 60_000 }, { limitsMax }).wallMs, 60_000);
});

t.test('only a type that is allowed the network gives it to a task that asks', async (t) => {
  const task = { code: '', type: 'python' };
  const network = (asked: TaskSpec['network'], python?: PolicyDefinition) => {
    const taken = take({ ...task, ...(asked && { network: asked }) }, python);
    return taken.code ?? taken.submission.view.network;
  };
  t.equal(network(undefined, { network: 'host' }), 'none', 'who does not ask has none');
  t.equal(network('none', { network: 'host' }), 'none');
  t.equal(network('host', { network: 'host' }), 'host');
  t.equal(network('allowed', { network: 'host' }), 'host');
  t.equal(network('allowed'), 'none');
  t.equal(network('host'), 'NETWORK_NOT_ALLOWED');
  t.match(take({ ...task, network: 'host' }), {
    field: 'network',
    message: /set runtimes.python.network: host/,
  });
});

t.test('files that a worker could not write are refused by their name', async (t) => {
  const refused = (names: string[]) =>
    take({ code: '', type: 'python', files: names.map((name) => file(name)) });
  t.match(refused(['../x']), { code: 'INVALID_FIELD', field: 'files.../x' });
  t.match(refused(['a', 'a']), { field: 'files.a', message: /twice/ });
  t.match(refused(['script.py']), { field: 'files.script.py', message: /script itself/ });
  t.match(refused(['b', 'b/c']), { field: 'files.b/c', message: /"b", which is a file too/ });
  const half = limits.filesBytesMax / 2;
  const files = [file('a', half), file('b', half + 1)];
  t.match(take({ code: '', type: 'python', files }), { field: 'files', message: /bytes together/ });
  t.match(take({ code: '', type: 'python', collect: ['../*'] }), { field: 'collect.0' });
});

t.test('files that the limits leave no room for are refused, with the cure', async (t) => {
  const task = { code: 'x', type: 'python', files: [file('a/b', 1), file('c', 4097)] };
  const pages = 4096 * 4;
  t.match(take({ ...task, limits: { diskBytes: pages - 1 } }), {
    code: 'INVALID_FIELD',
    field: 'files',
    message: /16384 bytes.*`limits.diskBytes` \(16383\)/,
  });
  t.notOk(take({ ...task, limits: { diskBytes: pages } }).code);
  // Two files, one folder, the script and the work directory.
  t.match(take({ ...task, limits: { files: 4 } }), { message: /`limits.files` \(4\)/ });
  t.notOk(take({ ...task, limits: { files: 5 } }).code);
});

t.test('files count as what a task holds', async (t) => {
  const { bytes } = take({ code: 'abc', type: 'python', files: [file('four', 1_000)] });
  t.equal(bytes, 1_007);
});

t.test('a type without workers is refused, named or guessed', async (t) => {
  t.match(take({ code: 'x', type: 'ruby' }), { code: 'UNKNOWN_TYPE', field: 'type' });
  t.match(take({ code: '#!/bin/bash\n' }), { code: 'NO_ROUTE', field: 'type' });
});

t.test('args and env that no process could be handed are refused, with the cure', async (t) => {
  const args = Array.from({ length: 20 }, () => 'ü'.repeat(30_000));
  t.match(take({ code: '', type: 'python', args }), {
    code: 'INVALID_FIELD',
    message: /`args` and `env` take 1200020 bytes together.*use `stdin`/,
  });
  t.equal(take({ code: '', type: 'python', args: args.slice(10) }).bytes, 600_010);
});

t.test('code is measured in bytes, not in characters', async (t) => {
  const code = '€'.repeat(limits.codeBytesMax / 2);
  t.match(take({ code, type: 'python' }), { code: 'INVALID_FIELD', field: 'code' });
  t.equal(take({ code: 'é'.repeat(limits.codeBytesMax / 2), type: 'python' }).code, undefined);
});

t.test('a check is bounded, whatever it is large by', async (t) => {
  const most = limits.checkBytesMax;
  const refused = { code: 'INVALID_FIELD', field: 'check' };
  const checked = (check: Check) => take({ code: '', type: 'python', check });
  for (const part of ['x'.repeat(most), Buffer.alloc(most), Array(most / 8).fill(0.5)]) {
    t.match(checked({ schema: { part } }), refused);
  }
  t.match(checked({ schema: { ['x'.repeat(most)]: true } }), refused);
  t.match(checked({ script: { code: 'x', args: Array(64).fill('x'.repeat(64 * 1024)) } }), refused);
  // As large as the HTTP API takes one: counted as JSON there.
  const exact = 'x'.repeat(most - '{"exact":""}'.length);
  t.match(checked({ exact }), { task: { type: 'python' } });
  t.ok(checked({ exact }).bytes > most - 100);
});

t.test('what is large is counted as it will be sent, and never less', async (t) => {
  for (const value of [
    ...['', 'ä'.repeat(15), 'x'.repeat(31), 'x'.repeat(32), 'x'.repeat(300), 'x'.repeat(70_000)],
    ...[0, 1e300, -1, true, null, Buffer.alloc(70_000), [], {}, Array(20).fill([1, 'a'])],
    Object.fromEntries(Array.from({ length: 20 }, (_, index) => [`name${index}`, { a: [[]] }])),
  ]) {
    t.ok(packedBytes(value) >= pack(value).length, JSON.stringify(value).slice(0, 20));
    t.ok(packedBytes(value) <= 9 * pack(value).length);
  }
  t.equal(packedBytes(undefined), 1);
});
