import { setTimeout as sleep } from 'node:timers/promises';
import { ScriptdError } from '../errors.js';
import { drillLimits } from './limits.js';
import type { Answer, Requests } from './requests.js';
import { someScript } from './scripts.js';
import type { Tally } from './tally.js';

export interface ClientOptions {
  name: string;
  requests: Requests;
  tally: Tally;
  notesFile: string;
  random: () => number;
}

/** Of all submissions, those by /execute, those that wait for the end, and those that come twice. */
const executeShare = 0.15;
const waitShare = 0.3;
const twiceShare = 0.05;

/** Somebody who submits scripts, sends again what was refused, and notes what is said about them. */
export class Client {
  readonly #options: ClientOptions;
  /** Acknowledged, and not seen finished, in the order of submission. */
  readonly #unseen: string[] = [];
  #count = 0;

  constructor(options: ClientOptions) {
    this.#options = options;
  }

  /** Until the signal says so; what is on its way is brought to its end. */
  async run(stop: AbortSignal): Promise<void> {
    while (!stop.aborted) {
      this.#count += 1;
      const key = `${this.#options.name}-${this.#count}`;
      const dice = this.#options.random();
      if (dice < executeShare) await this.#execute(key);
      else await this.#submit(key, dice < waitShare ? '?wait=20' : '');
      const oldest = this.#unseen.length > drillLimits.unseenMax ? this.#unseen.shift() : undefined;
      if (oldest !== undefined) await this.#see(oldest, stop);
    }
  }

  async #submit(key: string, query: string): Promise<void> {
    const { requests, tally, notesFile, random } = this.#options;
    const { type, code, notes } = someScript(key, notesFile, random);
    const init = {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'idempotency-key': key },
      body: JSON.stringify({ type, code }),
    };
    const answer = await requests.persist(() => ({ path: `/v1/tasks${query}`, init }));
    if (!answer) return;
    const id = taskOf(answer);
    tally.acknowledged(id, key, notes);
    if (!this.#note(id, answer)) this.#unseen.push(id);
    if (random() >= twiceShare) return;
    const again = await requests.persist(() => ({ path: '/v1/tasks', init }));
    if (again) tally.repeated(key, id, taskOf(again));
  }

  /** Without a key: what is sent again is another task, so its script has another mark. */
  async #execute(key: string): Promise<void> {
    const { requests, tally, notesFile, random } = this.#options;
    let times = 0;
    let mark = key;
    let notes = false;
    const answer = await requests.persist(() => {
      times += 1;
      mark = `${key}.${times}`;
      const script = someScript(mark, notesFile, random);
      notes = script.notes;
      return { path: `/execute?type=${script.type}`, init: { method: 'POST', body: script.code } };
    });
    if (!answer) return;
    const id = taskOf(answer);
    tally.acknowledged(id, mark, notes);
    if (!this.#note(id, answer)) this.#unseen.push(id);
  }

  /** Looks at it until it is finished. */
  async #see(id: string, stop: AbortSignal): Promise<void> {
    const { requests } = this.#options;
    while (!stop.aborted) {
      const answer = await requests.persist(() => ({ path: `/v1/tasks/${id}` }));
      // One that is not there is counted in the end.
      if (!answer || answer.status === 404 || this.#note(id, answer)) return;
      await sleep(drillLimits.pollMs);
    }
  }

  /** True when the answer says how the task ended. */
  #note(id: string, { json, outcome }: Answer): boolean {
    if (outcome === undefined) return false;
    const { attempt, finishedAt } = json;
    this.#options.tally.saw(id, {
      outcome,
      ...(typeof attempt === 'number' && { attempt }),
      ...(typeof finishedAt === 'string' && { finishedAt }),
    });
    return true;
  }
}

/** @throws ScriptdError DRILL_FAILED: it was refused for good */
function taskOf({ status, taskId, json }: Answer): string {
  if (taskId !== undefined) return taskId;
  throw new ScriptdError('DRILL_FAILED', `a submission got ${status}: ${JSON.stringify(json)}`);
}
