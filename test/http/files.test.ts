import fc from 'fast-check';
import t from 'tap';
import { fileField, filesFault } from '../../src/file-names.js';
import { limits } from '../../src/limits.js';
import { type Answer, assertProblem, type Daemon, startDaemon } from './daemon.js';
import { answerWith, finished, pending, refuseWith, taskId } from './fake-controller.js';

/** A task with no code and these fields, as JSON text where JavaScript could not write it. */
function submit({ ask }: Pick<Daemon, 'ask'>, fields: object | string): Promise<Answer> {
  return ask({
    method: 'POST',
    path: '/v1/tasks',
    headers: { 'content-type': 'application/json' },
    body: typeof fields === 'string' ? fields : JSON.stringify({ code: '', ...fields }),
  });
}

t.test('files go in as text or as any bytes', async (t) => {
  const daemon = await startDaemon(t);
  daemon.controller.behaviour = answerWith(pending());
  const files = {
    'data/größe.json': '{"é": 1}',
    'bytes.bin': { base64: '/wD+' },
    empty: '',
    constructor: 'c',
    hasOwnProperty: { base64: '' },
  };
  const fields = { files, collect: ['out/**', '*.json'], network: 'none', inspect: true };
  const answer = await submit(daemon, { ...fields, limits: { files: 100 } });
  t.equal(answer.status, 201);
  const { task } = await daemon.controller.next('submit');
  t.same(
    task.files?.map(({ name, content }) => [name, Buffer.from(content).toString('latin1')]),
    [
      ['data/größe.json', Buffer.from('{"é": 1}').toString('latin1')],
      ['bytes.bin', '\xff\0\xfe'],
      ['empty', ''],
      ['constructor', 'c'],
      ['hasOwnProperty', ''],
    ],
  );
  t.match(task, {
    collect: fields.collect,
    network: 'none',
    inspect: true,
    limits: { files: 100 },
  });
});

t.test('files, patterns and network that cannot be are refused by their field', async (t) => {
  const daemon = await startDaemon(t);
  const long = 'x'.repeat(1_000_000);
  const half = limits.filesBytesMax / 2;
  const cases: [object, string, RegExp][] = [
    [{ files: { '../x': '' } }, 'files.../x', /component `..`: name it from the work directory/],
    [{ files: { '/etc/x': '' } }, 'files./etc/x', /absolute: leave out the \//],
    [{ files: { 'a\0': '' } }, 'files.a\0', /NUL/],
    [{ files: { 'a\\b': '' } }, 'files.a\\b', /separated by \//],
    [{ files: { '\ud800': '' } }, 'files.\ud800', /surrogate/],
    [{ files: { '': '' } }, 'files.', /empty/],
    [{ files: { [long]: '' } }, 'files.xxx', /1024 bytes/],
    [{ files: { 'script.py': '' } }, 'files.script.py', /choose another/],
    [{ files: { '.scriptd-exception.json': '' } }, 'files..scriptd', /choose another/],
    [{ files: { a: '', 'a/b': '' } }, 'files.a/b', /rename one of them/],
    [{ files: { a: 5 } }, 'files.a', /must be a string, or {"base64": "..."}/],
    [{ files: { a: null } }, 'files.a', /must be a string/],
    [{ files: { a: { base64: 'a b' } } }, 'files.a.base64', /not base64/],
    [{ files: { a: { base64: '', [long]: 1 } } }, 'files.a', /must be a string/],
    [{ files: { a: '\udfff' } }, 'files.a', /surrogate/],
    [{ files: ['a'] }, 'files', /must be an object/],
    [{ files: null }, 'files', /must be an object/],
    [{ files: 'a' }, 'files', /must be an object/],
    [{ files: { a: 'é'.repeat(half / 2), b: 'x'.repeat(half + 1) } }, 'files', /4194304 are/],
    [{ files: Object.fromEntries(Array.from({ length: 257 }, (_, n) => [n, ''])) }, 'files', /256/],
    [{ collect: 'a' }, 'collect', /array/],
    [{ collect: [1] }, 'collect.0', /string/],
    [{ collect: ['a', '../*'] }, 'collect.1', /component `..`/],
    [{ collect: ['/tmp/*'] }, 'collect.0', /absolute/],
    [{ collect: ['.scriptd-exception.json'] }, 'collect.0', /choose another/],
    [{ collect: Array(65).fill('a') }, 'collect', /64/],
    [{ network: 'all' }, 'network', /one of: none, host/],
    [{ network: 'allowed' }, 'network', /one of: none, host/],
    [{ inspect: 1 }, 'inspect', /boolean/],
    [{ limits: { files: 0 } }, 'limits.files', />= 1/],
  ];
  for (const [fields, field, detail] of cases) {
    const problem = assertProblem(t, await submit(daemon, fields), 400, 'INVALID_FIELD');
    t.ok(String(problem.field).startsWith(field), `${problem.field} is ${field}`);
    t.match(problem.detail, detail, field);
    t.ok(JSON.stringify(problem).length < 4_096, 'what was sent is not sent back at length');
  }
  const prototype = '{"code": "", "files": {"__proto__": "x"}}';
  const refused = assertProblem(t, await submit(daemon, prototype), 400, 'INVALID_JSON');
  t.match(refused.detail, /__proto__/);
  t.same(daemon.controller.received, []);
});

t.test('a name arrives as it was sent, or is refused by it', async (t) => {
  const daemon = await startDaemon(t);
  daemon.controller.behaviour = answerWith(pending());
  const part = fc.oneof(
    fc.constantFrom('..', '.', '', 'a', 'constructor', 'toString', 'script.py', '\\', '\0'),
    fc.string({ unit: 'binary', maxLength: 4 }),
  );
  const name = fc.array(part, { minLength: 1, maxLength: 4 }).map((parts) => parts.join('/'));
  const check = fc.asyncProperty(name, async (name) => {
    const answer = await submit(daemon, { files: { [name]: 'content' } });
    if (filesFault([{ name, content: new Uint8Array() }])) {
      return answer.status === 400 && answer.json.field === fileField(name);
    }
    const { task } = await daemon.controller.next('submit');
    return answer.status === 201 && task.files?.[0]?.name === name;
  });
  await fc.assert(check, { numRuns: 200 });
});

t.test('a limit that no type may have is too high, as one that this type may not', async (t) => {
  const daemon = await startDaemon(t);
  for (const [name, value] of [
    ['wallMs', limits.wallMsMax + 1],
    ['memoryBytes', 2 ** 41],
    ['diskBytes', 1e300],
  ] as const) {
    const answer = await submit(daemon, { limits: { [name]: value } });
    const problem = assertProblem(t, answer, 422, 'LIMIT_TOO_HIGH');
    t.equal(problem.field, `limits.${name}`);
    t.match(problem.detail, /at most \d+ is possible: ask for less/);
  }
  for (const code of ['LIMIT_TOO_HIGH', 'NETWORK_NOT_ALLOWED']) {
    daemon.controller.behaviour = refuseWith(code, 'not for this type', 'limits.wallMs');
    const problem = assertProblem(t, await submit(daemon, {}), 422, code);
    t.match(problem, { field: 'limits.wallMs', detail: 'not for this type' });
  }
});

t.test('the largest files that are accepted reach the controller beside the rest', async (t) => {
  const daemon = await startDaemon(t);
  daemon.controller.behaviour = answerWith(pending());
  const files = { a: 'x'.repeat(limits.filesBytesMax) };
  const task = { files, code: 'x'.repeat(limits.codeBytesMax - 1024), stdin: 'y'.repeat(3 << 20) };
  t.equal((await submit(daemon, task)).status, 201);
  const { task: sent } = await daemon.controller.next('submit');
  t.equal(sent.files?.[0]?.content.length, limits.filesBytesMax);
});

t.test('what a script handed back is shown by name, and what it did not', async (t) => {
  const daemon = await startDaemon(t);
  const exception = { message: 'boom', frames: [{ file: 'script.py', locals: { x: '1' } }] };
  daemon.controller.behaviour = answerWith(
    finished({
      network: 'host',
      exception,
      files: [
        { name: 'out/a.json', content: Buffer.from('{"é":1}') },
        { name: 'b.bin', content: Buffer.from([0xff]) },
        { name: '__proto__', content: Buffer.alloc(0) },
      ],
      filesNotCollected: [{ name: 'link', code: 'ELOOP', reason: 'it is a symbolic link' }],
    }),
  );
  const { json } = await daemon.ask({ path: `/v1/tasks/${taskId}` });
  t.equal(json.network, 'host');
  t.same(json.exception, exception);
  t.same(Object.entries(json.files as object), [
    ['out/a.json', { content: '{"é":1}', encoding: 'utf-8', bytes: 8 }],
    ['b.bin', { content: '/w==', encoding: 'base64', bytes: 1 }],
    ['__proto__', { content: '', encoding: 'utf-8', bytes: 0 }],
  ]);
  t.same(json.filesNotCollected, [
    { name: 'link', code: 'ELOOP', reason: 'it is a symbolic link' },
  ]);
  daemon.controller.behaviour = answerWith(finished());
  const without = (await daemon.ask({ path: `/v1/tasks/${taskId}` })).json;
  for (const name of ['files', 'filesNotCollected', 'exception']) t.notOk(name in without, name);
});
