import { ScriptdError } from '../../errors.js';
import { type TaskSpec, type TaskState, type TaskView, taskStates } from '../../task.js';
import type { Delivery } from '../../webhook.js';
import { fits, formatCursor, parseCursor } from '../filter.js';
import type { Bulk } from '../lifecycle.js';
import { storeLimits } from '../limits.js';
import type {
  HistoryRecord,
  IndexRecord,
  OwedDelivery,
  StoredDocument,
  TaskFilter,
  TaskPage,
  TaskQuery,
} from '../port.js';
import { TextSearch } from '../text-search.js';
import type { Databases } from './databases.js';
import { owedOf } from './deliveries.js';
import {
  after,
  documentKey,
  documentNameOf,
  documentPrefix,
  endingKey,
  facetKey,
  isTaskId,
  sequenceOf,
} from './keys.js';
import { type Source, sourceOf } from './layer.js';
import { merge } from './merge.js';
import { decode, filteredOf, indexRecordOf, type Row } from './records.js';
import type { Place } from './snapshot.js';
import { rowOf, viewOf } from './tasks.js';

/**
 * Reads what is durable. What is asked for by its name is read from everything that is; lists are
 * read from the databases, which must have it (a checkpoint) before. Every method but the generators
 * reads one state of the whole store.
 */
export class Reader {
  readonly #databases: Databases;
  readonly #source: Source;

  /** @param source the databases, and what may stand above them */
  constructor(databases: Databases, source: Source = sourceOf(databases)) {
    this.#databases = databases;
    this.#source = source;
  }

  spec(taskId: string): TaskSpec | undefined {
    const bytes = isTaskId(taskId) ? this.#source.get('specs', taskId) : undefined;
    return bytes && decode<TaskSpec>(bytes);
  }

  view(taskId: string, bulk: boolean): TaskView | undefined {
    const head = isTaskId(taskId) ? this.#source.get('tasks', taskId) : undefined;
    if (!head) return undefined;
    if (head.view.state !== 'finished') {
      const found = rowOf(this.#source, head.sequence);
      if (!found) throw corrupt(`task ${taskId} has no row`);
      return viewOf(head, found.row, found.state);
    }
    const result = bulk ? this.#source.get('results', taskId) : undefined;
    return result ? { ...head.view, ...decode<Bulk>(result) } : head.view;
  }

  /** In order of submission, in chunks: what changes between two of them may or may not be seen. */
  *unfinished(): Iterable<IndexRecord[]> {
    let from = 0;
    for (;;) {
      const places = this.#chunk(['pending', 'running'], from);
      if (places.length === 0) return;
      from = (places.at(-1)?.sequence ?? 0) + 1;
      yield places.map(({ row, state }) =>
        indexRecordOf(row, state === 'running' ? state : 'pending'),
      );
    }
  }

  *history({ from, to }: { from: number; to: number }): Iterable<HistoryRecord[]> {
    let start = endingKey(Math.max(0, from), 0);
    const end = endingKey(Math.min(Math.max(0, Math.ceil(to)), Number.MAX_SAFE_INTEGER), 0);
    for (;;) {
      const limit = storeLimits.chunkRecords;
      const entries = [...this.#databases.endings.getRange({ start, end, limit })];
      const last = entries.at(-1);
      if (!last) return;
      start = after(last.key);
      // The key has whole milliseconds.
      yield entries
        .map(({ value }) => value)
        .filter(({ finishedAt }) => finishedAt >= from && finishedAt < to);
    }
  }

  *owedDeliveries({ from, to }: { from: number; to: number }): Iterable<OwedDelivery[]> {
    let start = endingKey(Math.max(0, from), 0);
    const end = endingKey(Math.min(Math.max(0, Math.ceil(to)), Number.MAX_SAFE_INTEGER), 0);
    for (;;) {
      const limit = storeLimits.chunkRecords;
      const entries = [...this.#databases.owed.getRange({ start, end, limit })];
      const last = entries.at(-1);
      if (!last) return;
      start = after(last.key);
      yield entries.map(({ key, value }) => owedOf(key, value));
    }
  }

  delivery(taskId: string): Delivery | undefined {
    const bytes = isTaskId(taskId) ? this.#source.get('deliveries', taskId) : undefined;
    return bytes && decode<Delivery>(bytes);
  }

  query({ cursor, limit, ...filter }: TaskQuery): TaskPage {
    const below = parseCursor(cursor);
    const search = filter.text === undefined ? undefined : new TextSearch(filter.text);
    const tasks: TaskView[] = [];
    const tasksMax = Math.min(limit, storeLimits.queryTasksMax);
    let rows = 0;
    let last = below;
    for (const { sequence, row, state } of this.#newestFirst(filter, below)) {
      if (fits(filteredOf(row, state), filter)) {
        if (search && !search.admits(row.bytes)) return { tasks, next: formatCursor(last) };
        const view = this.#view(row, state);
        const code = () => this.spec(row.id)?.code;
        if (!search || search.finds(view, code)) tasks.push(view);
      }
      last = sequence;
      rows += 1;
      if (tasks.length >= tasksMax || rows >= storeLimits.queryRowsMax) {
        return { tasks, next: formatCursor(sequence) };
      }
    }
    return { tasks };
  }

  document(kind: string, id: string): unknown {
    const bytes = this.#source.get('documents', documentKey(kind, id));
    return bytes && decode<unknown>(bytes);
  }

  documents(kind: string): StoredDocument[] {
    const start = documentPrefix(kind);
    const documents: StoredDocument[] = [];
    for (const { key, value } of this.#databases.documents.getRange({ start })) {
      if (key.compare(start, 0, start.length, 0, start.length) !== 0) break;
      documents.push({ ...documentNameOf(key), value: decode<unknown>(value) });
    }
    return documents;
  }

  #view(row: Row, state: TaskState): TaskView {
    const head = this.#databases.tasks.get(row.id);
    if (!head) throw corrupt(`task ${row.id} has a row and no head`);
    return viewOf(head, row, state);
  }

  /** By the index that has the fewest rows to look at, as far as that can be known. */
  #newestFirst(filter: TaskFilter, below: number): Iterable<Place> {
    const { state, outcome, group, tag, deadLetter } = filter;
    const ofFacet = (...[facet, value]: [Parameters<typeof facetKey>[0], string]) =>
      this.#ofFacet(facetKey(facet, value, 0), facetKey(facet, value, below));
    if (deadLetter) return ofFacet('deadLetter', '');
    if (tag !== undefined) return ofFacet('tag', tag);
    if (group !== undefined) return ofFacet('group', group);
    if (outcome !== undefined && outcome !== 'success') return ofFacet('outcome', outcome);
    if (outcome !== undefined) return this.#ofState('finished', below);
    if (state !== undefined) return this.#ofState(state, below);
    const sources = taskStates.map((name) => this.#ofState(name, below));
    return merge(sources, (a, b) => a.sequence > b.sequence);
  }

  *#ofState(state: TaskState, below: number): Generator<Place> {
    if (below <= 0) return;
    // Reversed, `end` is the smaller; numbers begin at 1.
    const range = { start: below - 1, end: 0, reverse: true };
    for (const { key, value } of this.#databases[state].getRange(range)) {
      yield { sequence: key, row: value, state };
    }
  }

  *#ofFacet(first: Buffer, below: Buffer): Generator<Place> {
    const { facets } = this.#databases;
    // Reversed, `start` is the greater and belongs to the range, `end` does not.
    for (const key of facets.getKeys({ start: below, end: first, reverse: true })) {
      if (key.equals(below)) continue;
      const sequence = sequenceOf(key);
      const found = rowOf(sourceOf(this.#databases), sequence);
      if (!found) throw corrupt(`a facet leads to submission ${sequence}, which has no row`);
      yield { sequence, ...found };
    }
  }

  /** Rows from a number on, oldest first, of several states together. */
  #chunk(states: readonly TaskState[], from: number): Place[] {
    const limit = storeLimits.chunkRecords;
    const start = from;
    const places: Place[] = [];
    let sources = 0;
    for (const state of states) {
      const before = places.length;
      for (const { key, value } of this.#databases[state].getRange({ start, limit })) {
        places.push({ sequence: key, row: value, state });
      }
      if (places.length > before) sources += 1;
    }
    if (sources > 1) places.sort((a, b) => a.sequence - b.sequence);
    return places.length > limit ? places.slice(0, limit) : places;
  }
}

function corrupt(message: string): ScriptdError {
  return new ScriptdError('STORE_CORRUPT', `${message}; \`scriptd store check\` says more`);
}
