import type { IsolationLevel } from '../isolation.js';
import { isolationLevels } from '../isolation.js';
import type { Result } from '../task.js';
import { type Attempt, misfit, type Row } from './row.js';
import { fileRows } from './rows/files.js';
import { hostRows } from './rows/host.js';
import { limitRows } from './rows/limits.js';
import { otherRows } from './rows/others.js';
import { streamRows } from './rows/streams.js';
import { lastingTraces, type Measure, measure, type Suspect } from './traces.js';

/** All hostile scripts. */
export const hostileRows: readonly Row[] = [
  ...limitRows,
  ...streamRows,
  ...hostRows,
  ...otherRows,
  ...fileRows,
];

/** Runs that the suite has at the same time, at most. */
export const suiteSlots = 3;

/** A worker of type python that the suite is run against. */
export interface Target extends Suspect {
  level: IsolationLevel;
  /** Set before every script, see bait.ts. */
  preamble: string;
  run(task: Omit<Attempt, 'expected'>): Promise<Result>;
}

export interface RowReport {
  name: string;
  /** `failed`: scriptd could not do its part, so that it says nothing of the script's. */
  verdict: Row['verdict'] | 'not promised' | 'got through' | 'failed';
  /** How it ended: the code, or the outcome. */
  end?: string;
  /** From its start to its end. */
  wallMs?: number;
  /** How far past its wall limit it ended, where that ended it. */
  lateMs?: number;
  /** What was other than expected. */
  problems: string[];
}

/** For what is removed after a result, and for warm runtimes to be there again. Milliseconds. */
const settleMsMax = 60_000;
const calmMs = 300;

/**
 * Runs the rows one after the other, each beside a neighbour that must not notice, and each followed
 * by a task that must succeed; nothing may be left of them.
 */
export async function* runSuite(
  target: Target,
  rows: readonly Row[] = hostileRows,
): AsyncGenerator<RowReport> {
  // What is there after the first is there to stay.
  await target.run({ code: 'print(1)' });
  // As many at once as there are slots: so many are held ready from then on.
  const pair = Array.from({ length: suiteSlots }, () => ({ code: overlapping }));
  const before = await measure(target, calmMs, () =>
    Promise.all(pair.map((task) => target.run(task))),
  );
  for (const row of rows) {
    if (isBelow(target.level, row.promisedFrom)) {
      yield { name: row.name, verdict: 'not promised', problems: [] };
    } else yield await runRow(target, row, before);
  }
}

const overlapping = 'import time; time.sleep(0.5)';

function isBelow(level: IsolationLevel, wanted: IsolationLevel): boolean {
  return isolationLevels.indexOf(level) < isolationLevels.indexOf(wanted);
}

async function runRow(target: Target, row: Row, before: Measure): Promise<RowReport> {
  const { preamble } = target;
  const problems: string[] = [];
  const check = async (who: string, { expected, ...task }: Attempt) => {
    const result = await target.run({ ...task, code: preamble + task.code });
    const wrong = misfit(result, expected);
    if (wrong !== undefined) problems.push(`${who}: ${wrong}`);
    return result;
  };
  const beside = row.beside && check('the other', row.beside);
  const neighbour = check('its neighbour', undisturbed);
  const { name, verdict, promisedFrom, next, beside: _beside, ...attempt } = row;
  const result = await check('it', attempt);
  await Promise.all([beside, neighbour]);
  if (next) await check('the next', next);
  await check('the task after it', afterwards);
  problems.push(...(await lastingTraces(target, before, settleMsMax)));
  const { usage } = result;
  const late = result.code === 'WALL_LIMIT' && usage && row.limits?.wallMs;
  return {
    name,
    verdict:
      problems.length === 0 ? verdict : /_fail$/.test(result.outcome) ? 'failed' : 'got through',
    end: result.code ?? result.outcome,
    ...(usage && { wallMs: usage.wallMs }),
    ...(late && { lateMs: usage.wallMs - late }),
    problems,
  };
}

const undisturbed: Attempt = {
  code: 'import time; time.sleep(0.2); print("undisturbed")',
  expected: { outcome: 'success', said: 'undisturbed\n' },
};

const afterwards: Attempt = {
  code: 'print("next")',
  expected: { outcome: 'success', said: 'next\n' },
};
