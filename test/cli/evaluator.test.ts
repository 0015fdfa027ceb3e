import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { temporaryFolder } from '../worker/test-worker.js';
import { scriptd } from './scriptd.js';
import { Service } from './service.js';

t.test('rules of the user: where a task goes, and what it scores', async (t) => {
  const rules = join(temporaryFolder(t), 'mine.mjs');
  writeFileSync(
    rules,
    `export const route = ({ code }, known) =>
       code.startsWith('echo') ? { type: 'bash' } : { refusal: 'only echo, of ' + known };
     export const score = ({ tags }) => tags.includes('vip') ? 5000 : 'none';`,
  );
  const args = ['--workers', 'bash=1', '--isolation', 'auto', '--evaluator', rules];
  const service = await Service.start(t, args);
  const submit = async (task: object) => (await service.submit(task, '?wait=30')).json;
  t.match(await submit({ code: 'echo hi', tags: ['vip'] }), {
    ...{ type: 'bash', outcome: 'success', score: 5000, stdout: 'hi\n' },
  });
  t.match(await submit({ code: 'pwd' }), { code: 'NO_ROUTE', detail: /only echo, of bash/ });
  t.match(await submit({ code: 'echo hi', priority: 1 }), { outcome: 'success', score: 60_000 });
  t.match(service.log, /`score` of the evaluator failed, so the built-in rule was used/);
});

t.test('a module that cannot be used ends the start, and is not tried again', async (t) => {
  const folder = temporaryFolder(t);
  writeFileSync(join(folder, 'mine.mjs'), 'export const rank = 1;');
  const ports = ['--port', '0', '--debug-port', '0', '--data-dir', folder];
  const args = ['up', ...ports, '--workers', 'noop=1', '--evaluator', './mine.mjs'];
  const { code, stderr } = await scriptd(args, folder);
  t.equal(code, 78);
  t.match(stderr, /the evaluator .*mine\.mjs cannot be used: it exports neither `route/);
});
