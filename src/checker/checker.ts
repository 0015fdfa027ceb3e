import type { Check } from '../task.js';
import type { Answer, CheckFault } from './answer.js';
import { judgeExact } from './exact.js';
import { checkFault, kindOf } from './fault.js';
import type { Job } from './job.js';
import { Lane, type Work } from './lane.js';
import { checkerLimits } from './limits.js';

/**
 * Judges outputs by checks that nobody trusts. `exact` takes linear time and is done here; schemas
 * and patterns in processes of their own, which are started when they are first needed and killed
 * when they take too long. Checker scripts are for whoever has a sandbox.
 */
export class Checker {
  readonly #lanes: Lane[];
  readonly #waiting: Work[] = [];
  #isClosed = false;

  /** @param processes at most; no more than `processesMax` */
  constructor(processes: number = checkerLimits.processesMax) {
    const count = Math.max(1, Math.min(processes, checkerLimits.processesMax));
    this.#lanes = Array.from({ length: count }, () => new Lane(() => this.#fill()));
  }

  /** Pids of the processes that there are. */
  get pids(): number[] {
    return this.#lanes.flatMap(({ pid }) => pid ?? []);
  }

  /** Why nobody should submit this check, or undefined. Its scripts are not looked at. */
  async compile(check: Check): Promise<CheckFault | undefined> {
    const fault = checkFault(check);
    if (fault) return fault;
    const kind = kindOf(check);
    if (kind === 'exact' || kind === 'script') return undefined;
    const answer = await this.#ask({ check: partOf(check) });
    if (answer.kind === 'passed') return undefined;
    const field = `check.${kind}`;
    const why = answer.kind === 'mismatch' ? 'it refuses everything' : answer.message;
    if (answer.kind === 'fault') throw new Error(`a check could not be compiled: ${why}`);
    const what = kind === 'schema' ? 'JSON Schema (draft 2020-12)' : 'regular expression';
    return { field, message: `\`${field}\` cannot be used as ${what}: ${why}` };
  }

  /** @param check without fault, and no checker script */
  async judge(check: Check, output: Uint8Array): Promise<Answer> {
    const { exact, trim = false } = check;
    if (exact !== undefined) return judgeExact({ exact, trim }, output);
    return this.#ask({ check: partOf(check), output });
  }

  /** What is under way is answered as a fault. */
  close(): void {
    this.#isClosed = true;
    for (const { answer } of this.#waiting.splice(0)) answer(shutDown);
    for (const lane of this.#lanes) lane.close();
  }

  #ask(job: Job): Promise<Answer> {
    return new Promise((resolve) => {
      if (this.#isClosed) {
        resolve(shutDown);
      } else if (this.#waiting.length >= checkerLimits.waitingMax) {
        resolve({ kind: 'fault', message: `${this.#waiting.length} checks wait already` });
      } else {
        this.#waiting.push({ job, answer: resolve });
        this.#fill();
      }
    });
  }

  #fill(): void {
    while (this.#waiting.length > 0) {
      const idle = this.#lanes.filter((lane) => lane.isIdle);
      const lane = idle.find(({ isWarm }) => isWarm) ?? idle[0];
      const work = lane && this.#waiting.shift();
      if (!work) return;
      lane.take(work);
    }
  }
}

const shutDown: Answer = { kind: 'fault', message: 'the part that checks was shut down' };

function partOf({ schema, pattern, flags }: Check): Job['check'] {
  return {
    ...(schema && { schema }),
    ...(pattern !== undefined && { pattern }),
    ...(flags !== undefined && { flags }),
  };
}
