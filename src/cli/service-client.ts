import { readFileSync } from 'node:fs';
import { errorMessage, ScriptdError } from '../errors.js';

/** What a command needs of a task as the service shows it. */
export interface TaskJson {
  id: string;
  type: string;
  state: string;
  outcome: string;
  code?: string;
  reason?: string;
  createdAt: string;
  tags: string[];
  stdout?: string;
  truncated?: { stdout: boolean };
}

/** Tasks in one page. */
const pageTasks = 100;
/** A task that a command waits for is asked after so often. Seconds. */
const waitSeconds = 60;

/** The HTTP API of a running service, as far as commands use it. */
export class ServiceClient {
  readonly #url: string;
  readonly #headers: Record<string, string>;

  /**
   * @param tokenFile the first token in it is shown; empty: none
   * @throws ScriptdError TOKENS_UNREADABLE, TOKENS_INVALID
   */
  constructor(url: string, tokenFile: string) {
    this.#url = url;
    this.#headers = tokenFile === '' ? {} : { authorization: `Bearer ${firstToken(tokenFile)}` };
  }

  /** Newest first. */
  async *tasks(filter: Record<string, string | undefined>): AsyncGenerator<TaskJson> {
    let cursor: string | undefined;
    do {
      const query = new URLSearchParams({ limit: String(pageTasks) });
      for (const [name, value] of Object.entries({ ...filter, cursor })) {
        if (value !== undefined) query.set(name, value);
      }
      const page = (await this.#json('GET', `/v1/tasks?${query}`)) as {
        tasks: TaskJson[];
        next?: string;
      };
      yield* page.tasks;
      cursor = page.next;
    } while (cursor !== undefined);
  }

  async stdout(taskId: string): Promise<Buffer> {
    const response = await this.#ask('GET', `/v1/tasks/${taskId}/stdout`);
    return Buffer.from(await response.arrayBuffer());
  }

  async retry(taskId: string): Promise<void> {
    await this.#json('POST', `/v1/tasks/${taskId}/retry`);
  }

  /** Submits a task and waits until it is finished. */
  async run(task: object): Promise<TaskJson> {
    const path = `/v1/tasks?wait=${waitSeconds}`;
    let view = (await this.#json('POST', path, task)) as TaskJson;
    while (view.state !== 'finished') {
      await new Promise((resolve) => setTimeout(resolve, 1_000));
      view = (await this.#json('GET', `/v1/tasks/${view.id}`)) as TaskJson;
    }
    return view;
  }

  async #json(method: string, path: string, body?: object): Promise<unknown> {
    const response = await this.#ask(method, path, body);
    return response.json();
  }

  /** @throws ScriptdError SERVICE_UNREACHABLE; or the code of the problem that the service answers */
  async #ask(method: string, path: string, body?: object): Promise<Response> {
    let response: Response;
    try {
      response = await fetch(new URL(path, this.#url), {
        method,
        headers: { ...this.#headers, ...(body && { 'content-type': 'application/json' }) },
        ...(body && { body: JSON.stringify(body) }),
      });
    } catch (error) {
      const cause =
        error instanceof Error && error.cause ? errorMessage(error.cause) : String(error);
      throw new ScriptdError('SERVICE_UNREACHABLE', `no scriptd answers at ${this.#url}: ${cause}`);
    }
    if (response.ok) return response;
    const problem = (await response.json()) as { code?: string; detail?: string };
    const text = `${method} ${path} was answered ${response.status}: ${problem.detail ?? ''}`;
    throw new ScriptdError(problem.code ?? 'SERVICE_FAILED', text);
  }
}

function firstToken(path: string): string {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    const message = `the tokens cannot be read from ${path}: ${errorMessage(cause)}`;
    throw new ScriptdError('TOKENS_UNREADABLE', message, { cause });
  }
  const lines = text.split('\n').map((line) => line.trim());
  const token = lines.find((line) => /^[^#{]/.test(line));
  if (token !== undefined) return token;
  const fault = `${path} holds no token that could be shown, digests at most`;
  throw new ScriptdError('TOKENS_INVALID', `${fault}: name a file with the token itself`);
}
