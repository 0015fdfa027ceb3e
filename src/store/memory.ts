import { invariant } from '../invariant.js';
import { bulkOf, type TaskSpec, type TaskView } from '../task.js';
import { type Delivery, newDelivery } from '../webhook.js';
import { type Filtered, fits, formatCursor, parseCursor } from './filter.js';
import { claimed, finished, requeued, resubmitted, touched, withoutBulk } from './lifecycle.js';
import { memoryStoreLimits, storeLimits } from './limits.js';
import type {
  Claim,
  Completion,
  HistoryRecord,
  IndexRecord,
  OwedDelivery,
  Requeue,
  Resubmission,
  StoredDocument,
  StoreStats,
  Submission,
  Submitted,
  TaskPage,
  TaskQuery,
  TaskStore,
  Touch,
} from './port.js';
import { TextSearch } from './text-search.js';

interface Kept {
  view: TaskView;
  spec: TaskSpec;
  /** Number of its submission; greater is newer. */
  sequence: number;
  /** Of its spec. */
  bytes: number;
  attemptsBefore: number;
  workerDeaths: number;
}

/** Tasks in this process's memory: gone with it. Finished ones are kept within limits. */
export class MemoryStore implements TaskStore {
  readonly durability = 'memory';
  /** In order of submission. */
  readonly #tasks = new Map<string, Kept>();
  /** Bytes of spec and result of each finished task, in the order in which they finished. */
  readonly #finished = new Map<string, number>();
  readonly #keys = new Map<string, { taskId: string; at: number }>();
  readonly #documents = new Map<string, StoredDocument>();
  /** By task id. */
  readonly #deliveries = new Map<string, Delivery>();
  readonly #onUndelivered: (taskIds: string[]) => void;
  #sequence = 0;
  #running = 0;
  #finishedBytes = 0;
  #unfinishedBytes = 0;

  /** @param options.onUndelivered told of tasks that went before their webhooks were told */
  constructor(options: { onUndelivered?: (taskIds: string[]) => void } = {}) {
    this.#onUndelivered = options.onUndelivered ?? (() => undefined);
  }

  async submit(submissions: readonly Submission[]): Promise<Submitted[]> {
    return submissions.map(({ view, spec }) => {
      const existing = this.#existing(spec.idempotencyKey, view);
      if (existing !== undefined) return { existing };
      invariant(!this.#tasks.has(view.id), `task ${view.id} was stored twice`);
      const bytes = specBytes(spec);
      const counts = { attemptsBefore: 0, workerDeaths: 0 };
      this.#tasks.set(view.id, { view, spec, sequence: ++this.#sequence, bytes, ...counts });
      this.#unfinishedBytes += bytes;
      return { view };
    });
  }

  async claim(claims: readonly Claim[]): Promise<void> {
    for (const { taskId, attempt, tried } of claims) {
      const kept = this.#tasks.get(taskId);
      if (!kept || kept.view.state === 'finished') continue;
      if (kept.view.state === 'pending') this.#running += 1;
      kept.view = claimed(kept.view, attempt);
      if (tried !== undefined) kept.attemptsBefore = attempt.attempt - tried;
    }
  }

  async requeue(requeues: readonly Requeue[]): Promise<void> {
    for (const requeue of requeues) {
      const kept = this.#tasks.get(requeue.taskId);
      if (!kept || kept.view.state === 'finished') continue;
      if (kept.view.state === 'running') this.#running -= 1;
      kept.view = requeued(kept.view, requeue);
      if (requeue.tried !== undefined) kept.attemptsBefore = kept.view.attempt - requeue.tried;
      kept.workerDeaths = requeue.workerDeaths ?? kept.workerDeaths;
    }
  }

  async complete(completions: readonly Completion[]): Promise<TaskView[]> {
    return completions.map((completion) => {
      const kept = this.#tasks.get(completion.taskId);
      invariant(kept, `task ${completion.taskId} is not in the store`);
      invariant(kept.view.state !== 'finished', `task ${completion.taskId} is finished`);
      if (kept.view.state === 'running') this.#running -= 1;
      kept.view = finished(kept.view, completion);
      this.#unfinishedBytes -= kept.bytes;
      if (kept.view.webhook) {
        this.#deliveries.set(kept.view.id, newDelivery(completion.finishedAt));
      }
      this.#retain(kept);
      return kept.view;
    });
  }

  async touch(touches: readonly Touch[]): Promise<void> {
    for (const touch of touches) {
      const kept = this.#tasks.get(touch.taskId);
      if (kept) kept.view = touched(kept.view, touch);
    }
  }

  async resubmit(resubmissions: readonly Resubmission[]): Promise<(TaskView | undefined)[]> {
    return resubmissions.map((resubmission) => {
      const { taskId } = resubmission;
      const kept = this.#tasks.get(taskId);
      if (kept?.view.state !== 'finished') return undefined;
      this.#finishedBytes -= this.#finished.get(taskId) ?? 0;
      this.#finished.delete(taskId);
      this.#deliveries.delete(taskId);
      this.#unfinishedBytes += kept.bytes;
      kept.view = resubmitted(kept.view, resubmission);
      kept.attemptsBefore = kept.view.attempt;
      kept.workerDeaths = 0;
      kept.sequence = ++this.#sequence;
      // To the end: the order of the map is that of submission.
      this.#tasks.delete(taskId);
      this.#tasks.set(taskId, kept);
      return kept.view;
    });
  }

  async readSpec(taskId: string): Promise<TaskSpec | undefined> {
    return this.#tasks.get(taskId)?.spec;
  }

  async readView(taskId: string, { bulk = true } = {}): Promise<TaskView | undefined> {
    const view = this.#tasks.get(taskId)?.view;
    return view && !bulk ? withoutBulk(view) : view;
  }

  async *unfinished(): AsyncIterable<IndexRecord[]> {
    const records = [...this.#tasks.values()].flatMap((kept) => indexRecord(kept) ?? []);
    yield* chunks(records);
  }

  async query({ cursor, limit, ...filter }: TaskQuery): Promise<TaskPage> {
    let below = parseCursor(cursor);
    const search = filter.text === undefined ? undefined : new TextSearch(filter.text);
    const tasks: TaskView[] = [];
    for (const { view, spec, sequence, bytes } of [...this.#tasks.values()].reverse()) {
      if (sequence >= below || !fits(filtered(view), filter)) continue;
      if (search && !search.admits(bytes)) return { tasks, next: formatCursor(below) };
      below = sequence;
      if (search && !search.finds(view, () => spec.code)) continue;
      tasks.push(withoutBulk(view));
      if (tasks.length === Math.min(limit, storeLimits.queryTasksMax)) {
        return { tasks, next: formatCursor(sequence) };
      }
    }
    return { tasks };
  }

  async countDeadLetters(most: number): Promise<number> {
    let count = 0;
    for (const taskId of this.#finished.keys()) {
      if (this.#tasks.get(taskId)?.view.deadLetter) count += 1;
      if (count === most) break;
    }
    return count;
  }

  async *owedDeliveries({ from, to }: { from: number; to: number }): AsyncIterable<OwedDelivery[]> {
    const owed: OwedDelivery[] = [];
    for (const [taskId, { nextAttemptAt: dueAt }] of this.#deliveries) {
      const origin = this.#tasks.get(taskId)?.view.webhook?.origin;
      if (dueAt === undefined || origin === undefined || dueAt < from || dueAt >= to) continue;
      owed.push({ taskId, origin, dueAt });
    }
    yield* chunks(owed.sort((a, b) => a.dueAt - b.dueAt));
  }

  async readDelivery(taskId: string): Promise<Delivery | undefined> {
    return this.#deliveries.get(taskId);
  }

  async noteDelivery(taskId: string, delivery: Delivery): Promise<boolean> {
    if (this.#deliveries.get(taskId)?.finishedAt !== delivery.finishedAt) return false;
    this.#deliveries.set(taskId, delivery);
    return true;
  }

  async getDocument(kind: string, id: string): Promise<unknown> {
    return this.#documents.get(documentKey(kind, id))?.value;
  }

  async listDocuments(kind: string): Promise<StoredDocument[]> {
    const documents = [...this.#documents.values()].filter((document) => document.kind === kind);
    return documents.sort((a, b) => Buffer.compare(Buffer.from(a.id), Buffer.from(b.id)));
  }

  async putDocument(document: StoredDocument): Promise<void> {
    this.#documents.set(documentKey(document.kind, document.id), document);
  }

  async deleteDocument(kind: string, id: string): Promise<void> {
    this.#documents.delete(documentKey(kind, id));
  }

  async *history({ from, to }: { from: number; to: number }): AsyncIterable<HistoryRecord[]> {
    const records = [...this.#finished.keys()].flatMap((id) => {
      const view = this.#tasks.get(id)?.view;
      return view ? historyRecord(view) : [];
    });
    const within = records.filter(({ finishedAt }) => finishedAt >= from && finishedAt < to);
    yield* chunks(within.sort((a, b) => a.finishedAt - b.finishedAt));
  }

  stats(): StoreStats {
    const finished = this.#finished.size;
    return {
      pending: this.#tasks.size - finished - this.#running,
      running: this.#running,
      finished,
      unfinishedBytes: this.#unfinishedBytes,
      finishedBytes: this.#finishedBytes,
      fileBytes: 0,
      writesWaiting: 0,
      oldestWriteMs: 0,
    };
  }

  async close(): Promise<void> {
    this.#tasks.clear();
    this.#finished.clear();
    this.#keys.clear();
    this.#documents.clear();
    this.#deliveries.clear();
  }

  /** The task that this key stands for; when there is none, it stands for the new one. */
  #existing(key: string | undefined, { id, createdAt }: TaskView): string | undefined {
    if (key === undefined) return undefined;
    const held = this.#keys.get(key);
    if (held && createdAt - held.at < storeLimits.idempotencyKeyMs) return held.taskId;
    this.#keys.delete(key);
    this.#keys.set(key, { taskId: id, at: createdAt });
    // In the order of their times: what is too old stands first.
    for (const [oldKey, { at }] of this.#keys) {
      if (createdAt - at < storeLimits.idempotencyKeyMs) break;
      this.#keys.delete(oldKey);
    }
    return undefined;
  }

  #retain({ view, bytes: heldBytes }: Kept): void {
    const bytes = heldBytes + bulkOf(view);
    this.#finished.set(view.id, bytes);
    this.#finishedBytes += bytes;
    for (const [id, size] of this.#finished) {
      const within =
        this.#finished.size <= memoryStoreLimits.finishedTasksMax &&
        this.#finishedBytes <= memoryStoreLimits.finishedBytesMax;
      if (within) return;
      this.#finished.delete(id);
      this.#finishedBytes -= size;
      this.#tasks.delete(id);
      if (this.#deliveries.get(id)?.nextAttemptAt !== undefined) this.#onUndelivered([id]);
      this.#deliveries.delete(id);
    }
  }
}

function documentKey(kind: string, id: string): string {
  return JSON.stringify([kind, id]);
}

function filtered(view: TaskView): Filtered {
  const { state, type, outcome, group, tags, deadLetter } = view;
  return { state, type, outcome, group, tags, deadLetter };
}

function specBytes(spec: TaskSpec): number {
  let bytes = Buffer.byteLength(spec.code) + (spec.stdin?.length ?? 0);
  for (const arg of spec.args ?? []) bytes += Buffer.byteLength(arg);
  for (const [name, value] of Object.entries(spec.env ?? {})) {
    bytes += name.length + Buffer.byteLength(value);
  }
  for (const { name, content } of spec.files ?? []) bytes += name.length + content.length;
  return bytes;
}

function indexRecord(kept: Kept): IndexRecord | undefined {
  const { view, spec, bytes, attemptsBefore, workerDeaths } = kept;
  const { id, type, state, priority, score, group, createdAt, attempt, worker, startedAt } = view;
  if (state === 'finished') return undefined;
  const { runAt, expiresAt, nextAttemptAt, cancel } = view;
  const isRunning = state === 'running';
  return {
    id,
    type,
    state,
    priority,
    score,
    ...(group !== undefined && { group }),
    createdAt,
    ...(runAt !== undefined && { runAt }),
    ...(expiresAt !== undefined && { expiresAt }),
    ...(nextAttemptAt !== undefined && { nextAttemptAt }),
    wallMs: view.limits.wallMs,
    ...(spec.retry && { retry: spec.retry }),
    attempt,
    attemptsBefore,
    workerDeaths,
    ...(isRunning && worker !== undefined && { worker }),
    ...(isRunning && startedAt !== undefined && { startedAt }),
    ...(cancel && { cancel }),
    bytes,
  };
}

function historyRecord(view: TaskView): HistoryRecord[] {
  const { id, type, group, priority, createdAt, startedAt, finishedAt } = view;
  if (finishedAt === undefined) return [];
  return [
    {
      id,
      type,
      ...(group !== undefined && { group }),
      priority,
      createdAt,
      ...(startedAt !== undefined && { startedAt }),
      finishedAt,
    },
  ];
}

function* chunks<T>(records: readonly T[]): Iterable<T[]> {
  for (let at = 0; at < records.length; at += storeLimits.chunkRecords) {
    yield records.slice(at, at + storeLimits.chunkRecords);
  }
}
