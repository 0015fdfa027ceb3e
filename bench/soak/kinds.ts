import { setTimeout as delay } from 'node:timers/promises';
import { limits } from '../../src/limits.js';
import { brokenKinds } from './broken.js';
import { hostileKinds } from './hostile.js';
import { ends, type Kind, mustBe, type Session, type TaskView } from './session.js';

const sleeping = { type: 'python', code: 'import time; time.sleep(60)' } as const;
/** Of code; most of a task's code is far less. */
const largeCode = `${'# a comment that is as long as a line of code usually is\n'.repeat(18_400)}print(1)`;

const wellMeant: Kind[] = [
  {
    name: 'python, short',
    weight: 20,
    run: (session) => prints(session, 'python', (number) => `print(${number})`),
  },
  {
    name: 'bash, short',
    weight: 20,
    run: (session) => prints(session, 'bash', (number) => `echo ${number}`),
  },
  {
    name: 'noop',
    weight: 30,
    async run(session) {
      ends(await session.run({ type: 'noop', code: '' }), 'success');
    },
  },
  {
    name: 'noop, a batch of 50',
    weight: 3,
    async run(session) {
      const lines = `${JSON.stringify({ type: 'noop', code: '' })}\n`.repeat(50);
      const path = '/v1/tasks/batch?wait=60';
      const body = await session.send('POST', path, lines, 'application/x-ndjson', 200);
      const answers = body.toString().trim().split('\n');
      const ended = answers.map((line) => JSON.parse(line) as { status: number; task: TaskView });
      const succeeded = ended.filter(({ status, task }) => {
        return status === 200 && task.outcome === 'success';
      });
      mustBe('tasks of a batch that succeeded', succeeded.length, 50);
    },
  },
  {
    name: 'long',
    weight: 4,
    async run(session) {
      const seconds = session.random.between(1, 3).toFixed(2);
      ends(await session.run({ type: 'bash', code: `sleep ${seconds}` }), 'success');
    },
  },
  {
    name: 'failing by exception',
    weight: 4,
    async run(session) {
      const view = await session.run({ type: 'python', code: 'raise ValueError("x" * 1000)' });
      ends(view, 'runtime_error', 'EXCEPTION');
    },
  },
  {
    name: 'failing by exit code',
    weight: 4,
    async run(session) {
      ends(await session.run({ type: 'bash', code: 'exit 3' }), 'runtime_error', 'EXIT_NONZERO');
    },
  },
  {
    name: 'tried again',
    weight: 3,
    async run(session) {
      const retry = { maxAttempts: 2, on: ['runtime_error'], baseMs: 50 };
      const view = await session.run({ type: 'bash', code: 'exit 4', retry });
      ends(view, 'runtime_error', 'EXIT_NONZERO');
      mustBe('its attempt', view.attempt, 2, view);
    },
  },
  {
    name: 'sent again by hand',
    weight: 2,
    async run(session) {
      const { id } = await session.run({ type: 'bash', code: 'exit 5' });
      await session.ask('POST', `/v1/tasks/${id}/retry`, undefined, 200);
      const view = await session.finished(id);
      ends(view, 'runtime_error', 'EXIT_NONZERO');
      mustBe('its attempt', view.attempt, 2, view);
    },
  },
  {
    name: 'cancelled, running or not',
    weight: 4,
    async run(session) {
      const { id } = await session.submit(sleeping);
      await delay(session.random.between(0, 400));
      const view = await session.ask('POST', `/v1/tasks/${id}/cancel`, undefined, 200);
      ends(view, 'cancelled', 'CANCELLED');
    },
  },
  {
    name: 'cancelled before its time',
    weight: 2,
    async run(session) {
      const { id } = await session.submit({ ...sleeping, delayMs: 600_000 });
      const view = await session.ask('POST', `/v1/tasks/${id}/cancel`, undefined, 200);
      ends(view, 'cancelled', 'CANCELLED');
    },
  },
  {
    name: 'code of 1 MB',
    weight: 3,
    isLarge: true,
    async run(session) {
      const view = await session.run({ type: 'python', code: largeCode });
      ends(view, 'success');
      mustBe('stdout', view.stdout, '1\n');
    },
  },
  {
    name: 'output of 10 MB',
    weight: 1,
    isLarge: true,
    run: printsMuch,
  },
];

/** All, with how often each comes. */
export const kinds: readonly Kind[] = [...wellMeant, ...hostileKinds, ...brokenKinds];

async function prints(session: Session, type: string, code: (number: number) => string) {
  const number = session.random.int(0, 1_000_000);
  const view = await session.run({ type, code: code(number) });
  ends(view, 'success');
  mustBe('stdout', view.stdout, `${number}\n`);
}

/** As much as there may be, half on either stream; read from where the raw bytes are. */
async function printsMuch(session: Session): Promise<void> {
  const bytes = limits.outputBytesMax;
  const code = `import sys; sys.stdout.write("o" * ${bytes}); sys.stderr.write("e" * ${bytes})`;
  const { id } = await session.submit({ type: 'python', code, limits: { outputBytes: bytes } });
  // Follows it to its end, with all of its output.
  await session.send('GET', `/v1/tasks/${id}/events`, '', 'text/plain', 200);
  for (const stream of ['stdout', 'stderr']) {
    const body = await session.send('GET', `/v1/tasks/${id}/${stream}`, '', 'text/plain', 200);
    mustBe(`bytes of ${stream}`, body.length, bytes);
  }
}
