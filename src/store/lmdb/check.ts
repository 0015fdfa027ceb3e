import { errorMessage } from '../../errors.js';
import { type TaskState, taskStates } from '../../task.js';
import type { Delivery } from '../../webhook.js';
import { type DatabaseName, databaseNames, type KeyOf, type ValueOf } from './databases.js';
import { owedOf } from './deliveries.js';
import type { Environment } from './environment.js';
import { facetsOf } from './facets.js';
import { endingKey, keyTimeKey, sequenceOf } from './keys.js';
import type { Source } from './layer.js';
import { decode, type Row } from './records.js';
import { Snapshot } from './snapshot.js';
import { noCounts, readCounts, rowOf } from './tasks.js';

export interface Progress {
  done: number;
  total: number;
}

export interface CheckReport {
  tasks: number;
  documents: number;
  /** One sentence each. */
  problems: string[];
}

/**
 * Walks everything that a store holds, as it stood at one moment: each record can be read, has what
 * belongs to it, and nothing is there that belongs to none; what is counted is what there is.
 */
export function checkStore(
  environment: Pick<Environment, 'root' | 'databases'>,
  onProgress: (progress: Progress) => void = () => undefined,
): CheckReport {
  const snapshot = new Snapshot(environment);
  try {
    return new Check(snapshot, onProgress).run();
  } finally {
    snapshot.close();
  }
}

class Check implements Source {
  readonly #snapshot: Snapshot;
  readonly #onProgress: (progress: Progress) => void;
  readonly #problems: string[] = [];
  readonly #counts = { ...noCounts };
  #done = 0;
  #total = 0;

  constructor(snapshot: Snapshot, onProgress: (progress: Progress) => void) {
    this.#snapshot = snapshot;
    this.#onProgress = onProgress;
  }

  run(): CheckReport {
    for (const name of databaseNames) this.#total += this.#snapshot.approximateCount(name);
    const tasks = this.#walk('tasks', (id, { sequence, view }) => this.#head(id, sequence, view));
    for (const state of taskStates) this.#walk(state, (key, row) => this.#row(state, key, row));
    this.#walk('specs', (id, bytes) => {
      decode(bytes);
      if (!this.get('tasks', id)) this.#problem(`a spec is kept of task ${id}, which is not there`);
    });
    this.#walk('results', (id, bytes) => {
      decode(bytes);
      const state = this.get('tasks', id)?.view.state;
      if (state !== 'finished') this.#problem(`a result is kept of task ${id}: ${state ?? 'none'}`);
    });
    this.#walk('endings', (key, { id, finishedAt }) => {
      const row = this.get('finished', sequenceOf(key));
      const isRight = row?.id === id && row.finishedAt === finishedAt;
      if (!isRight) this.#problem(`an ending is kept of task ${id} that it does not have`);
    });
    this.#walk('deliveries', (id, bytes) => this.#delivery(id, decode<Delivery>(bytes)));
    this.#walk('owed', (key, value) => {
      const { taskId, dueAt } = owedOf(key, value);
      const delivery = this.get('deliveries', taskId);
      const isRight =
        this.get('tasks', taskId)?.sequence === sequenceOf(key) &&
        delivery !== undefined &&
        Math.floor(decode<Delivery>(delivery).nextAttemptAt ?? -1) === dueAt;
      if (!isRight) this.#problem(`a delivery of task ${taskId} is due that it does not have`);
    });
    this.#walk('facets', (key) => {
      const sequence = sequenceOf(key);
      const found = rowOf(this, sequence);
      const isRight = found && facetsOf(found.row, sequence).some((facet) => facet.equals(key));
      if (!isRight)
        this.#problem(`an index leads to submission ${sequence}, which it does not fit`);
    });
    this.#walk('keys', (key, { at }) => {
      if (!this.get('keyTimes', keyTimeKey(at, key)))
        this.#problem('an idempotency key has no time');
    });
    this.#walk('keyTimes', (key) => {
      if (!this.get('keys', key.subarray(8))) this.#problem('a time is kept of no idempotency key');
    });
    const documents = this.#walk('documents', (_, bytes) => decode(bytes));
    this.#walk('meta', () => undefined);
    this.#compareCounts();
    return { tasks, documents, problems: this.#problems };
  }

  get<Name extends DatabaseName>(name: Name, key: KeyOf<Name>): ValueOf<Name> | undefined {
    return this.#snapshot.get(name, key);
  }

  #head(id: string, sequence: number, view: { id: string; state: TaskState }): void {
    const found = rowOf(this, sequence);
    if (view.id !== id) this.#problem(`task ${id} is kept as task ${view.id}`);
    if (found?.row.id !== id) this.#problem(`task ${id} has no row`);
    const isFinished = view.state === 'finished';
    if (found && isFinished !== (found.state === 'finished')) {
      this.#problem(`task ${id} is ${view.state} by its id and ${found.state} by its number`);
    }
  }

  #delivery(id: string, { finishedAt, nextAttemptAt }: Delivery): void {
    const head = this.get('tasks', id);
    if (head?.view.state !== 'finished' || head.view.finishedAt !== finishedAt) {
      this.#problem(`a delivery is kept of task ${id}, which did not end then`);
      return;
    }
    if (nextAttemptAt === undefined) return;
    if (!this.get('owed', endingKey(nextAttemptAt, head.sequence))) {
      this.#problem(`the delivery of task ${id} is due and would not be made`);
    }
  }

  #row(state: TaskState, sequence: number, row: Row): void {
    const { id, bytes, resultBytes, finishedAt } = row;
    const problem = (text: string) => this.#problem(`task ${id} ${text}`);
    if (this.get('tasks', id)?.sequence !== sequence) problem('does not know its own number');
    const spec = this.get('specs', id);
    if (spec?.length !== bytes)
      problem(`has a spec of ${spec?.length ?? 'no'} bytes, not ${bytes}`);
    const result = this.get('results', id);
    if (result?.length !== resultBytes) {
      problem(`has a result of ${result?.length ?? 'no'} bytes, not ${resultBytes ?? 'one'}`);
    }
    for (const other of taskStates) {
      if (other !== state && this.get(other, sequence)) problem(`is ${state} and ${other}`);
    }
    for (const facet of facetsOf(row, sequence)) {
      if (!this.get('facets', facet)) problem('is missing in an index');
    }
    if (
      state === 'finished' &&
      this.get('tasks', id)?.view.webhook &&
      !this.get('deliveries', id)
    ) {
      problem('has a webhook and no delivery');
    }
    if (state === 'finished' && !this.get('endings', endingKey(finishedAt ?? 0, sequence))) {
      problem('has no ending');
    }
    const counts = this.#counts;
    counts[state] += 1;
    counts.sequence = Math.max(counts.sequence, sequence);
    if (state === 'finished') counts.finishedBytes += bytes + (resultBytes ?? 0);
    else counts.unfinishedBytes += bytes;
  }

  #compareCounts(): void {
    const { sequence, ...kept } = readCounts(this);
    if (sequence < this.#counts.sequence) this.#problem('numbers would be given out twice');
    for (const [name, value] of Object.entries(kept)) {
      const found = this.#counts[name as keyof typeof kept];
      if (value !== found) this.#problem(`${name} is kept as ${value}, and is ${found}`);
    }
  }

  #walk<Name extends DatabaseName>(
    name: Name,
    look: (key: KeyOf<Name>, value: ValueOf<Name>) => void,
  ): number {
    let count = 0;
    // Values are read one by one: one that cannot be decoded must not end the walk.
    for (const key of this.#snapshot.keys(name)) {
      try {
        const value = this.get(name, key);
        if (value === undefined) this.#problem(`${name} has a key without a value`);
        else look(key, value);
      } catch (error) {
        this.#problem(`${name}: ${errorMessage(error)}`);
      }
      count += 1;
      this.#done += 1;
      if (this.#done % 1000 === 0) this.#onProgress({ done: this.#done, total: this.#total });
    }
    return count;
  }

  #problem(text: string): void {
    this.#problems.push(text);
  }
}
