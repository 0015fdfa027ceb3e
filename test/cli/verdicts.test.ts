import t from 'tap';
import { Service } from './service.js';

/** What `/execute` must answer for each way in which a script, or a request, can go wrong. */
interface Case {
  name: string;
  code: string;
  query?: string;
  status: number;
  problem: { code?: string; detail?: RegExp; outcome?: string; [member: string]: unknown };
}

const cases: Case[] = [
  {
    name: 'a script that raises',
    code: 'print("before")\nraise ValueError("no good")',
    status: 422,
    problem: {
      code: 'EXCEPTION',
      outcome: 'runtime_error',
      detail: /raised ValueError: no good \(line 2\)/,
      stdout: 'before\n',
      stderr: /Traceback.*script\.py", line 2/s,
      exitCode: 1,
    },
  },
  {
    name: 'one that exits 3',
    code: 'import sys; sys.exit(3)',
    status: 422,
    problem: { code: 'EXIT_NONZERO', outcome: 'runtime_error', detail: /exit code 3/, exitCode: 3 },
  },
  {
    name: 'one that exits like a killed one, and is not',
    code: 'import sys; sys.exit(137)',
    status: 422,
    problem: { code: 'EXIT_NONZERO', exitCode: 137, detail: /exit code 137/ },
  },
  {
    name: 'one killed by a signal',
    code: 'import os; os.kill(os.getpid(), 9)',
    status: 422,
    problem: { code: 'SIGNALED', outcome: 'runtime_error', signal: 'SIGKILL', detail: /SIGKILL/ },
  },
  {
    name: 'one that is not valid Python',
    code: 'def broken(:',
    status: 422,
    problem: { code: 'EXCEPTION', detail: /SyntaxError/, stderr: /SyntaxError/ },
  },
  {
    name: 'one that prints 100 MB',
    code: 'import sys\nsys.stdout.write("begin" + "x" * 100_000_000)',
    status: 422,
    problem: {
      code: 'OUTPUT_LIMIT',
      outcome: 'runtime_error',
      stdout: /^beginx/,
      detail: /outputBytes/,
    },
  },
  {
    name: 'an unknown type',
    code: 'puts 1',
    query: '?type=ruby',
    status: 422,
    problem: { code: 'UNKNOWN_TYPE', detail: /ruby.*python/ },
  },
];

t.test('every way to fail has its status, code and reason', async (t) => {
  const service = await Service.start(t, ['--workers', 'python=2']);
  for (const { name, code, query, status, problem } of cases) {
    const answer = await service.execute(code, query);
    t.equal(answer.status, status, name);
    t.match(answer.headers['content-type'], /^application\/problem\+json/, name);
    t.match(answer.json, problem, name);
  }

  await t.test('one that sleeps past its limit', async (t) => {
    const answer = await service.submit(
      { code: 'import time; print("so far"); time.sleep(60)', limits: { wallMs: 3_000 } },
      '?wait=30',
    );
    t.match(answer.json, {
      state: 'finished',
      outcome: 'runtime_error',
      code: 'WALL_LIMIT',
      reason: /3000 ms.*limits\.wallMs/,
      stdout: 'so far\n',
      attempt: 1,
    });
  });

  await t.test('one that computes past its limit', async (t) => {
    const task = { code: 'while True: pass', type: 'python', limits: { cpuMs: 1_000 } };
    const answer = await service.submit(task, '?wait=30');
    t.match(answer.json, { outcome: 'runtime_error', code: 'CPU_LIMIT', reason: /limits\.cpuMs/ });
  });

  await t.test('an empty script prints nothing', async (t) => {
    const answer = await service.request('GET', '/execute?code=');
    t.equal(answer.status, 200);
    t.equal(answer.body.length, 0);
  });

  await t.test('a request without code says what is missing', async (t) => {
    const answer = await service.request('GET', '/execute');
    t.equal(answer.status, 400);
    t.match(answer.json, { code: 'MISSING_CODE', detail: /code/ });
  });

  await t.test('the next script is not disturbed by any of them', async (t) => {
    const answer = await service.execute('print("fine")');
    t.equal(answer.body.toString(), 'fine\n');
  });
});
