import type { IsolationLevel } from '../isolation.js';
import type { Limits, Result, TaskFile } from '../task.js';

/** What must come of a script. What is left out does not matter. */
export interface Expectation {
  outcome?: Result['outcome'];
  code?: string | RegExp;
  /** All of stdout. */
  said?: string | RegExp;
  /** The reason and the end of stderr. */
  reason?: RegExp;
  /** Names and errno names of what was to be handed back and was not. */
  notCollected?: Readonly<Record<string, string>>;
  /** All bytes that were handed back, one file after the other. */
  handedBack?: string | RegExp;
}

/** A script, as the worker is given it. */
export interface Attempt {
  /** Python. It finds WORKER, PORT, PID and SOCKET set, see bait.ts. */
  code: string;
  limits?: Partial<Limits>;
  stdin?: Uint8Array;
  files?: TaskFile[];
  collect?: string[];
  expected: Expectation;
}

/** A hostile script. */
export interface Row extends Attempt {
  name: string;
  /** What it means that it came out as expected. */
  verdict: 'blocked' | 'contained';
  /** The weakest level that promises it; below it the script is not run. */
  promisedFrom: IsolationLevel;
  /** A second script, run after the first, that must find nothing of it. */
  next?: Attempt;
  /** A second script that runs at the same time, started first. */
  beside?: Attempt;
}

/** What a result is matched by. */
export interface Seen {
  outcome: Result['outcome'];
  code: string;
  said: string;
  reason: string;
  notCollected: Readonly<Record<string, string>>;
  handedBack: string;
}

const reasonCharactersMax = 300;

export function seen(result: Result): Seen {
  const stderr = Buffer.from(result.stderr).toString().slice(-reasonCharactersMax);
  const notCollected = Object.fromEntries(
    (result.filesNotCollected ?? []).map(({ name, code }) => [name, code]),
  );
  return {
    outcome: result.outcome,
    code: result.code ?? '',
    said: Buffer.from(result.stdout).toString(),
    reason: `${result.reason ?? ''} ${stderr}`,
    notCollected,
    handedBack: (result.files ?? []).map(({ content }) => Buffer.from(content)).join(''),
  };
}

/** How a result is other than expected, as one sentence; undefined when it is not. */
export function misfit(result: Result, expected: Expectation): string | undefined {
  const got = seen(result);
  for (const [name, wanted] of Object.entries(expected) as [keyof Seen, unknown][]) {
    const value = got[name];
    const fits =
      wanted instanceof RegExp
        ? wanted.test(String(value))
        : JSON.stringify(wanted) === JSON.stringify(value);
    if (fits) continue;
    return `${name} is ${shown(value)}, expected ${shown(wanted)}; ${shown(got.reason)}`;
  }
  return undefined;
}

const shownCharactersMax = 200;

function shown(value: unknown): string {
  const text = value instanceof RegExp ? String(value) : JSON.stringify(value);
  return text.length <= shownCharactersMax ? text : `${text.slice(0, shownCharactersMax)}…`;
}
