import { misfit, type Row } from '../../src/selftest/row.js';
import { limitRows } from '../../src/selftest/rows/limits.js';
import type { Result } from '../../src/task.js';
import { ends, type Kind, Misfit, mustBe, type Session, type TaskView } from './session.js';

/** Scripts that want more than they are given: fork bombs, memory, disk, orphans in a session of their own. */
const greedy: Kind[] = limitRows.map((row) => ({
  name: `hostile: ${row.name}`,
  weight: 0.5,
  run: (session) => comesOutAs(row, session),
}));

export const hostileKinds: readonly Kind[] = [
  ...greedy,
  {
    name: 'hostile: endless output',
    weight: 2,
    async run(session) {
      const code = 'while True: print("x" * 9999)';
      const view = await session.run({ type: 'python', code, limits: { outputBytes: 999_999 } });
      ends(view, 'runtime_error', 'OUTPUT_LIMIT');
    },
  },
  {
    name: 'hostile: kill its parents',
    weight: 3,
    async run(session) {
      const code = 'kill -9 -1; kill -9 1; kill -9 $PPID; echo alive';
      const view = await session.run({ type: 'bash', code });
      ends(view, 'success');
      mustBe('stdout', view.stdout, 'alive\n');
    },
  },
];

async function comesOutAs({ code, limits, expected }: Row, session: Session): Promise<void> {
  const view = await session.run({ type: 'python', code, ...(limits && { limits }) });
  const wrong = misfit(resultOf(view), expected);
  if (wrong !== undefined) throw new Misfit(`${wrong}; ${JSON.stringify(view).slice(0, 1_000)}`);
}

/** As much of the result as an expectation looks at. */
function resultOf({ outcome, code, reason, stdout = '', stderr = '' }: TaskView): Result {
  const streams = { stdout: Buffer.from(stdout), stderr: Buffer.from(stderr) };
  const phases = { startMs: 0, runMs: 0, drainMs: 0 };
  const truncated = { stdout: false, stderr: false };
  return { outcome, code, reason, ...streams, phases, truncated } as Result;
}
