import { setTimeout as sleep } from 'node:timers/promises';
import { drillLimits } from './limits.js';

export interface Answer {
  status: number;
  taskId: string | undefined;
  /** Members of a JSON body. */
  json: Record<string, unknown>;
  outcome: string | undefined;
}

export interface Request {
  path: string;
  init?: RequestInit;
}

/** Requests to an instance whose parts are being killed. */
export class Requests {
  readonly #address: string;
  readonly #onSentAgain: () => void;

  constructor(address: string, onSentAgain: () => void) {
    this.#address = address;
    this.#onSentAgain = onSentAgain;
  }

  /**
   * Sends it until it is answered by other than a refusal; undefined when that does not come in
   * time.
   *
   * @param make called each time that it is sent
   */
  async persist(make: () => Request): Promise<Answer | undefined> {
    const deadlineMs = performance.now() + drillLimits.giveUpMs;
    while (performance.now() < deadlineMs) {
      const answer = await this.once(make());
      if (answer && !isRefusal(answer)) return answer;
      this.#onSentAgain();
      await sleep(drillLimits.retryMs);
    }
    return undefined;
  }

  /** Undefined when the connection broke or nothing came in time. */
  async once({ path, init }: Request): Promise<Answer | undefined> {
    try {
      const signal = AbortSignal.timeout(drillLimits.requestMs);
      const response = await fetch(new URL(path, this.#address), { ...init, signal });
      const text = await response.text();
      const isJson = /json/.test(response.headers.get('content-type') ?? '');
      const json = (isJson ? JSON.parse(text) : {}) as Record<string, unknown>;
      const found = response.headers.get('x-task-id') ?? json.taskId ?? json.id;
      const outcome = response.headers.get('x-task-outcome') ?? json.outcome;
      return {
        status: response.status,
        json,
        taskId: typeof found === 'string' ? found : undefined,
        outcome: typeof outcome === 'string' ? outcome : undefined,
      };
    } catch (error) {
      // fetch says TypeError when the connection broke, AbortError or TimeoutError when it is late.
      if (error instanceof TypeError || error instanceof DOMException) return undefined;
      throw error;
    }
  }
}

/** Whoever gets it sends the request again. What became of a task is none. */
function isRefusal({ status, taskId }: Answer): boolean {
  return taskId === undefined && (status === 429 || status >= 500);
}
