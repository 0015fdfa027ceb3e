import t from 'tap';
import { Checker } from '../../src/checker/checker.js';
import { checkerLimits } from '../../src/checker/limits.js';
import type { Check } from '../../src/task.js';
import { eventually, isAlive } from '../worker/test-worker.js';

function checkerFor(t: { teardown(action: () => unknown): void }, processes = 1): Checker {
  const checker = new Checker(processes);
  t.teardown(() => checker.close());
  return checker;
}

const judge = (checker: Checker, check: Check, output: string | Buffer) =>
  checker.judge(check, Buffer.from(output));

/** Takes as many steps as there are subsets of its input. */
const catastrophe = { pattern: '^(a+)+$' };
/** To compile it takes longer than it may. */
const slowSchema = {
  allOf: Array.from({ length: 1_200 }, (_, index) => ({ properties: { [`p${index}`]: true } })),
  unevaluatedProperties: false,
};
const trigger = `${'a'.repeat(60)}b`;

t.test('a schema: what was expected, where, and what came', async (t) => {
  const checker = checkerFor(t);
  const check = {
    schema: {
      type: 'object',
      required: ['items'],
      additionalProperties: false,
      properties: {
        items: { type: 'array', items: { type: 'object', properties: { n: { type: 'integer' } } } },
        kind: { enum: ['a', 'b'] },
      },
    },
  };
  t.strictSame(await judge(checker, check, '{"items": [{"n": 1}]}'), { kind: 'passed' });
  t.strictSame(await judge(checker, check, '{"items": [{"n": 1}, {"n": "two"}]}'), {
    kind: 'mismatch',
    format: { expected: 'must be integer', at: '/items/1/n', got: '"two"' },
  });
  t.match(await judge(checker, check, '{}'), {
    format: { expected: "must have required property 'items'", at: 'the whole document' },
  });
  t.match(await judge(checker, check, '{"items": [], "kind": "c"}'), {
    format: { expected: /"a","b"/, at: '/kind', got: '"c"' },
  });
  t.match(await judge(checker, check, '{"items": [], "itmes": 1}'), {
    format: { expected: /must NOT have additional properties \("itmes"\)/ },
  });
});

t.test('a schema wants JSON, and says where it ends to be any', async (t) => {
  const checker = checkerFor(t);
  const check = { schema: {} };
  t.strictSame(await judge(checker, check, '{"a": 1,\n "b": }\n'), {
    kind: 'mismatch',
    format: { expected: 'JSON', at: 'line 2, column 7', got: '"}"' },
  });
  t.match(await judge(checker, check, ''), { format: { got: 'the end of the output' } });
  t.match(await judge(checker, check, Buffer.from([0x22, 0xff, 0x22])), {
    format: { expected: 'text in UTF-8', at: 'byte 2' },
  });
});

t.test(
  'a draft that is not 2020-12, a misspelt keyword, a broken $ref: said at submission',
  async (t) => {
    const checker = checkerFor(t);
    const fault = async (schema: Record<string, unknown>) => await checker.compile({ schema });
    t.equal(await fault({ prefixItems: [{ type: 'string' }], $defs: { a: {} } }), undefined);
    t.match(await fault({ propertees: {} }), {
      field: 'check.schema',
      message: /unknown keyword: "propertees"/,
    });
    t.match(await fault({ type: 'strin' }), { field: 'check.schema', message: /type must be/ });
    t.match(await fault({ $ref: 'https://example.org/other' }), {
      message: /can't resolve reference/,
    });
    t.match(await fault({ pattern: '(' }), { message: /regular expression/i });
    t.match(await fault({ $schema: 'http://json-schema.org/draft-07/schema#' }), {
      message: /draft-07/,
    });
    t.equal(await fault({ format: 'anything', title: 'x' }), undefined, 'annotations');
  },
);

t.test('schemas with the same $id do not know each other', async (t) => {
  const checker = checkerFor(t);
  const named = (type: string) => ({ schema: { $id: 'https://example.org/s', type } });
  t.match(await judge(checker, named('string'), '1'), { kind: 'mismatch' });
  t.match(await judge(checker, named('integer'), '1'), { kind: 'passed' });
  t.match(await judge(checker, named('string'), '1'), { kind: 'mismatch' });
});

t.test('a pattern matches anywhere unless it is anchored', async (t) => {
  const checker = checkerFor(t);
  t.match(await judge(checker, { pattern: '\\d+' }, 'n = 42\n'), { kind: 'passed' });
  t.match(await judge(checker, { pattern: '^OK$', flags: 'm' }, 'x\nOK\n'), { kind: 'passed' });
  t.strictSame(await judge(checker, { pattern: '^ok$', flags: 'i' }, 'n/a'), {
    kind: 'mismatch',
    format: { expected: 'a match of /^ok$/i', got: '"n/a"' },
  });
  t.match(await checker.compile({ pattern: '(' }), {
    field: 'check.pattern',
    message: /regular expression: .*Unterminated group/,
  });
  t.match(await checker.compile({ pattern: 'a', flags: 'uv' }), { field: 'check.pattern' });
});

t.test('a catastrophic pattern is ended, and the checks after it are made', async (t) => {
  const checker = checkerFor(t);
  const [slow, next] = await Promise.all([
    judge(checker, catastrophe, trigger),
    judge(checker, { pattern: 'x' }, 'x'),
  ]);
  t.match(slow, { kind: 'failed', message: /not done after 2000 ms/ });
  t.match(next, { kind: 'passed' });
});

t.test('the same in a schema; and schemas that only take long', async (t) => {
  const checker = checkerFor(t);
  t.match(await judge(checker, { schema: catastrophe }, JSON.stringify(trigger)), {
    kind: 'failed',
    message: /not done/,
  });
  const many = JSON.stringify(Array.from({ length: 200_000 }, (_, n) => ({ n })));
  t.match(await judge(checker, { schema: { uniqueItems: true } }, many), { kind: 'failed' });
});

t.test(
  'a schema that calls itself without end fails, and so does output nested too deep',
  async (t) => {
    const checker = checkerFor(t);
    t.match(await judge(checker, { schema: { $ref: '#' } }, '1'), { kind: 'failed' });
    const tree = { schema: { items: { $ref: '#' } } };
    t.match(await judge(checker, tree, '[[[1]]]'), { kind: 'passed' });
    const deep = '['.repeat(200_000) + ']'.repeat(200_000);
    t.match(await judge(checker, tree, deep), { kind: 'failed' });
  },
);

t.test('a pattern that needs more stack than there is fails, and nothing with it', async (t) => {
  const checker = checkerFor(t);
  const output = 'ab'.repeat(2_500_000);
  t.match(await judge(checker, { pattern: '^(?:a|b|(c))*$' }, output), { kind: 'failed' });
  t.match(await judge(checker, { pattern: 'x' }, 'x'), { kind: 'passed' });
});

t.test(
  'a process that is killed from outside costs its job, and the next gets another',
  async (t) => {
    const checker = checkerFor(t);
    await judge(checker, { pattern: 'x' }, 'x');
    const [pid] = checker.pids;
    if (pid === undefined) throw new Error('no process was started');
    const pending = judge(checker, catastrophe, trigger);
    process.kill(pid, 'SIGKILL');
    t.match(await pending, { kind: 'failed', message: /its process ended \(SIGKILL\)/ });
    t.match(await judge(checker, { pattern: 'x' }, 'x'), { kind: 'passed' });
    t.not(checker.pids[0], pid);
  },
);

t.test('owners have their turns, however much one of them has waiting', async (t) => {
  const checker = checkerFor(t);
  const answered: string[] = [];
  const asked = ['a', 'a', 'a', 'b', 'c', 'b'].map(async (owner) => {
    await checker.compile({ pattern: 'x' }, { owner });
    answered.push(owner);
  });
  await Promise.all(asked);
  t.equal(answered.join(''), 'aabcab');
});

t.test('what nobody wants any more is not waited for', async (t) => {
  const checker = checkerFor(t);
  const gone = new Error('gone');
  const early = new AbortController();
  const dropped = checker.compile({ schema: slowSchema }, { signal: early.signal });
  early.abort(gone);
  await t.rejects(dropped, gone, 'its process is only starting, and starts for the next');
  const [starting] = checker.pids;
  t.equal(await checker.compile({ pattern: 'x' }), undefined);
  t.same(checker.pids, [starting]);

  const abort = new AbortController();
  const { signal } = abort;
  const running = checker.compile({ schema: slowSchema }, { signal });
  const waiting = checker.compile({ schema: slowSchema }, { signal });
  const next = checker.compile({ pattern: 'x' });
  abort.abort(gone);
  await t.rejects(running, gone);
  await t.rejects(waiting, gone);
  await t.rejects(checker.compile({ pattern: 'x' }, { signal }), gone);
  t.equal(await next, undefined);
  t.not(checker.pids[0], starting);
  await eventually(() => !isAlive(starting ?? 0));
});

t.test('a check for which there is no room is refused as overload', async (t) => {
  const checker = new Checker(1);
  const all = Array.from({ length: checkerLimits.waitingMax + 1 }, () =>
    checker.compile({ pattern: 'x' }).catch(() => undefined),
  );
  await t.rejects(checker.compile({ pattern: 'x' }), { code: 'OVERLOADED' });
  t.match(await judge(checker, { pattern: 'x' }, 'x'), { kind: 'fault' });
  checker.close();
  await Promise.all(all);
});

t.test('no more processes than were asked for, and none after close', async (t) => {
  const checker = new Checker(2);
  const answers = Array.from({ length: 20 }, () => judge(checker, { pattern: 'x' }, 'x'));
  t.ok(checker.pids.length <= 2);
  for (const answer of await Promise.all(answers)) t.match(answer, { kind: 'passed' });
  const { pids } = checker;
  const pending = judge(checker, catastrophe, trigger);
  checker.close();
  t.match(await pending, { kind: 'fault' });
  t.match(await judge(checker, { pattern: 'x' }, 'x'), { kind: 'fault', message: /shut down/ });
  await eventually(() => !pids.some(isAlive));
});

t.test('a checker process can write no file and start no process', async (t) => {
  const checker = checkerFor(t);
  // There is no known way from a schema to such a call: what the process may do is looked at.
  await judge(checker, { pattern: 'x' }, 'x');
  const { readFileSync } = await import('node:fs');
  const command = readFileSync(`/proc/${checker.pids[0]}/cmdline`, 'utf8');
  t.match(command, /--(experimental-)?permission\0/);
  t.notMatch(command, /allow-(fs-write|child-process|addons|worker)/);
  t.equal(readFileSync(`/proc/${checker.pids[0]}/environ`, 'utf8').includes('SCRIPTD'), false);
});
