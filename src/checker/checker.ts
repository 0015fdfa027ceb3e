import { ScriptdError } from '../errors.js';
import type { Check } from '../task.js';
import type { Answer, CheckFault } from './answer.js';
import { judgeExact } from './exact.js';
import { checkFault, kindOf } from './fault.js';
import type { Job } from './job.js';
import { Lane, type Work } from './lane.js';
import { checkerLimits } from './limits.js';
import { Turns } from './turns.js';

/** For whom something is checked. */
export interface Asker {
  /** Owners have their turns one after the other. */
  owner?: string;
  /** Nobody wants the answer any more. */
  signal?: AbortSignal;
}

/**
 * Judges outputs by checks that nobody trusts. `exact` takes linear time and is done here; schemas
 * and patterns in processes of their own, which are started when they are first needed and killed
 * when they take too long. Checker scripts are for whoever has a sandbox.
 */
export class Checker {
  readonly #lanes: Lane[];
  readonly #waiting = new Turns<Work>();
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

  /**
   * Why nobody should submit this check, or undefined. Its scripts are not looked at. Rejected with
   * the signal's reason.
   *
   * @throws ScriptdError OVERLOADED
   */
  async compile(check: Check, asker: Asker = {}): Promise<CheckFault | undefined> {
    const fault = checkFault(check);
    if (fault) return fault;
    if (!needsProcess(check)) return undefined;
    if (this.#isFull) {
      const text = `${this.#waiting.size} checks wait already, as many as may: try again later`;
      throw new ScriptdError('OVERLOADED', text);
    }
    const answer = await this.#ask({ check: partOf(check) }, asker);
    const kind = kindOf(check);
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
    for (let work = this.#waiting.take(); work; work = this.#waiting.take()) work.answer(shutDown);
    for (const lane of this.#lanes) lane.close();
  }

  get #isFull(): boolean {
    return this.#waiting.size >= checkerLimits.waitingMax;
  }

  #ask(job: Job, { owner = '', signal }: Asker = {}): Promise<Answer> {
    return new Promise((resolve, reject) => {
      signal?.throwIfAborted();
      if (this.#isClosed) {
        resolve(shutDown);
      } else if (this.#isFull) {
        resolve({ kind: 'fault', message: `${this.#waiting.size} checks wait already` });
      } else {
        const answer = (answer: Answer) => {
          signal?.removeEventListener('abort', forget);
          resolve(answer);
        };
        const work = { job, answer };
        const forget = () => {
          reject(signal?.reason);
          if (!this.#waiting.remove(owner, work)) for (const lane of this.#lanes) lane.drop(work);
        };
        signal?.addEventListener('abort', forget, { once: true });
        this.#waiting.add(owner, work);
        this.#fill();
      }
    });
  }

  #fill(): void {
    while (this.#waiting.size > 0) {
      const idle = this.#lanes.filter((lane) => lane.isIdle);
      const lane = idle.find(({ isWarm }) => isWarm) ?? idle[0];
      const work = lane && this.#waiting.take();
      if (!work) return;
      lane.take(work);
    }
  }
}

/** Others take little time, or a sandbox. */
export function needsProcess(check: Check): boolean {
  const kind = kindOf(check);
  return kind === 'schema' || kind === 'pattern';
}

const shutDown: Answer = { kind: 'fault', message: 'the part that checks was shut down' };

function partOf({ schema, pattern, flags }: Check): Job['check'] {
  return {
    ...(schema && { schema }),
    ...(pattern !== undefined && { pattern }),
    ...(flags !== undefined && { flags }),
  };
}
