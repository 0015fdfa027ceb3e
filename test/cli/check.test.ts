import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { scriptd } from './scriptd.js';
import { Service } from './service.js';

async function started(t: Parameters<typeof Service.start>[0], config?: string) {
  const service = await Service.start(t, ['--workers', 'bash=2', '--isolation', 'auto'], config);
  const submit = async (task: object) => {
    const { json, status } = await service.submit(task, '?wait=30');
    t.equal(status, 200, JSON.stringify(json));
    return json as { id: string; outcome: string; code?: string };
  };
  const check = (check: object, ...args: string[]) => {
    const file = join(service.dataDir, 'check.json');
    writeFileSync(file, JSON.stringify(check));
    const where = ['--url', service.address, '--check', file];
    return scriptd(['check', '--dry-run', ...where, ...args], service.dataDir);
  };
  return { service, submit, check };
}

const linesOf = (stdout: string) =>
  stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));

t.test('a check that is not valid is refused at submission, by field', async (t) => {
  const { service } = await started(t);
  const refused = async (check: unknown) => (await service.submit({ code: 'echo', check })).json;
  t.match(await refused({ pattern: '(' }), {
    status: 400,
    code: 'INVALID_FIELD',
    field: 'check.pattern',
    detail: /Unterminated group/,
  });
  t.match(await refused({ schema: { type: 'strin' } }), { status: 400, field: 'check.schema' });
  t.match(await refused({ exact: 'a', pattern: 'b' }), { status: 400, field: 'check' });
  t.match(await refused({ patern: 'a' }), { field: 'check.patern', detail: /did you mean/ });
  const slow = { schema: { pattern: '^(a+)+$', const: `${'a'.repeat(50)}b` } };
  t.match(await service.submit({ code: 'echo', type: 'bash', check: slow }), { status: 201 });
});

t.test('through the whole service: verdict, format and checkMs', async (t) => {
  const { submit } = await started(t);
  const check = { exact: 'one\n' };
  t.match(await submit({ code: 'echo one', type: 'bash', check }), { outcome: 'success' });
  t.match(await submit({ code: 'echo two', type: 'bash', check }), {
    outcome: 'format_error',
    code: 'FORMAT_MISMATCH',
    reason: /expected at line 1, column 1 "one"; got "two"/,
    format: { expected: '"one"', at: 'line 1, column 1', got: '"two"' },
    timeline: { checkMs: Number },
  });
});

t.test('the check of the runtime, and that of a task instead', async (t) => {
  const config = 'runtimes:\n  bash:\n    check: { pattern: "^ok" }\n';
  const { submit } = await started(t, config);
  t.match(await submit({ code: 'echo ok', type: 'bash' }), { outcome: 'success' });
  t.match(await submit({ code: 'echo no', type: 'bash' }), { outcome: 'format_error' });
  const own = { code: 'echo no', type: 'bash', check: { pattern: '^no' } };
  t.match(await submit(own), { outcome: 'success' });
});

t.test('a new check on stored results: old and new verdict, and what would change', async (t) => {
  const { service, submit, check } = await started(t);
  const number = await submit({ code: 'echo 42', type: 'bash', tags: ['mine'] });
  const word = await submit({ code: 'echo word', type: 'bash', tags: ['mine'] });
  const refused = await submit({
    code: 'echo 7',
    type: 'bash',
    tags: ['mine'],
    check: { exact: '8\n' },
  });
  await submit({ code: 'exit 3', type: 'bash', tags: ['mine'] });
  await submit({ code: 'echo other', type: 'bash', tags: ['other'] });
  const { code, stdout, stderr } = await check(
    { pattern: '^\\d+$', flags: 'm' },
    '--tag',
    'mine',
    '--json',
  );
  t.equal(code, 0, stderr);
  const lines = linesOf(stdout);
  t.strictSame(lines.at(-1), {
    summary: { tasks: 3, changed: 2, passed: 2, refused: 1, failed: 0, rerun: 0 },
  });
  const of = ({ id }: { id: string }) => lines.find((line) => line.id === id);
  t.match(of(number), { old: 'success', new: 'success', changed: false });
  t.match(of(word), { old: 'success', new: 'FORMAT_MISMATCH', changed: true, why: /"word/ });
  t.match(of(refused), { old: 'FORMAT_MISMATCH', new: 'success', changed: true });

  const byScript = await check(
    { script: { code: 'grep -q 42 || { echo not 42; exit 1; }' } },
    '--tag',
    'mine',
  );
  t.equal(byScript.code, 0, byScript.stderr);
  t.match(byScript.stdout, `${number.id}  success, as before\n`);
  t.match(byScript.stdout, `${word.id}  success → FORMAT_MISMATCH (expected not 42, got`);
  t.match(byScript.stdout, /\n3 tasks: 1 pass, 2 do not; 1 verdicts change\n$/);

  const { json: before } = await service.request('GET', `/v1/tasks/${number.id}`);
  const rerun = await check({ pattern: '^\\d+$', flags: 'm' }, '--tag', 'mine', '--rerun-changed');
  t.match(rerun.stdout, /; 2 verdicts change, 2 tasks sent again\n$/);
  const { json: after } = await service.request('GET', `/v1/tasks/${number.id}`);
  t.strictSame(after, before, 'what does not change is left alone');
  const { json: again } = await service.request('GET', `/v1/tasks/${word.id}`);
  t.ok(again.state !== 'finished' || again.attempt === 2, 'it runs again');
});

t.test('what cannot be: no service, no check', async (t) => {
  const { service, check } = await started(t);
  t.match(await check({ pattern: '(' }), { code: 64, stderr: /check\.json: .*Unterminated group/ });
  t.match(await check({ patern: 'x' }), { code: 64, stderr: /did you mean/ });
  const nowhere = ['--url', 'http://127.0.0.1:1', '--check', join(service.dataDir, 'good.json')];
  writeFileSync(join(service.dataDir, 'good.json'), '{"exact": ""}');
  t.match(await scriptd(['check', '--dry-run', ...nowhere], service.dataDir), {
    code: 69,
    stderr: /no scriptd answers at/,
  });
});
