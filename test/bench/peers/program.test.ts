import { join } from 'node:path';
import t from 'tap';
import { peerProgram } from '../../../bench/peers/program.js';

const variable = 'BENCH_TESTED';
const program = (name: string) => peerProgram(name, variable, 'install it');

t.afterEach(() => {
  delete process.env[variable];
});

t.test('a program is found in PATH, and one that is not there is not', async (t) => {
  t.match(program('sh').path(), /\/sh$/);
  t.equal(program('no-such-program-of-scriptd').path(), undefined);
});

t.test('the variable comes before PATH, and must name a program', async (t) => {
  process.env[variable] = process.execPath;
  t.equal(program('sh').path(), process.execPath);
  process.env[variable] = '/no/such/program';
  t.throws(() => program('sh').path(), { message: new RegExp(`^${variable} is /no/such/program`) });
  process.env[variable] = join(t.testdir({ plain: 'no program' }), 'plain');
  t.throws(() => program('sh').path(), /install it/);
});
