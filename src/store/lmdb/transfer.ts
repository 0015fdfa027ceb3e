import { type Static, Type } from 'typebox';
import { ScriptdError } from '../../errors.js';
import { limits } from '../../limits.js';
import { type Validator, validator } from '../../schema.js';
import { TaskId, TaskSpec, type TaskState, TaskView } from '../../task.js';
import { Delivery, shownTarget } from '../../webhook.js';
import { type Bulk, bulkOf, withoutBulk } from '../lifecycle.js';
import { lmdbStoreLimits, storeLimits } from '../limits.js';
import type { Changes } from './changes.js';
import type { Progress } from './check.js';
import type { Commits } from './commits.js';
import type { Environment } from './environment.js';
import { documentKey, documentNameOf, isTaskId } from './keys.js';
import { schemaVersion } from './migrations.js';
import { decode, encode, type Row } from './records.js';
import { Snapshot } from './snapshot.js';
import { holdKey, insert, readCounts, viewOf, writeCounts } from './tasks.js';

const closed = { additionalProperties: false } as const;
const count = () => Type.Integer({ minimum: 0 });
const StoreLine = Type.Object({ kind: Type.Literal('store'), version: count() }, closed);
const TaskLine = Type.Object(
  {
    kind: Type.Literal('task'),
    view: TaskView,
    spec: TaskSpec,
    attemptsBefore: count(),
    workerDeaths: count(),
    /** Of a finished task with a webhook. */
    delivery: Type.Optional(Delivery),
  },
  closed,
);
const KeyLine = Type.Object(
  {
    kind: Type.Literal('idempotencyKey'),
    key: Type.String({ minLength: 1, maxLength: limits.idempotencyKeyBytesMax }),
    taskId: TaskId,
    at: Type.Number({ minimum: 0 }),
  },
  closed,
);
const documentName = () =>
  Type.String({ minLength: 1, maxLength: storeLimits.documentNameBytesMax });
const DocumentLine = Type.Object(
  {
    kind: Type.Literal('document'),
    document: Type.Object(
      { kind: documentName(), id: documentName(), value: Type.Unknown() },
      closed,
    ),
  },
  closed,
);

/** Version 2 brought deliveries: what version 1 wrote is the same without them. Exports of 3 are as those of 2. */
const importable: readonly number[] = [1, 2, schemaVersion];

/** One line of an export, by its kind. Bytes are written as {"$base64": "…"}. */
type Line = Static<typeof StoreLine | typeof TaskLine | typeof KeyLine | typeof DocumentLine>;

const validators = new Map<unknown, Validator<unknown>>([
  ['store', validator(StoreLine)],
  ['task', validator(TaskLine)],
  ['idempotencyKey', validator(KeyLine)],
  ['document', validator(DocumentLine)],
]);

/**
 * Everything that a store holds, as it stood at one moment, one line of JSON each, newline included:
 * a line that says what it is, tasks in order of submission, idempotency keys, documents.
 *
 * @throws ScriptdError STORE_CORRUPT
 */
export function* exportLines(
  environment: Pick<Environment, 'root' | 'databases'>,
  onProgress: (progress: Progress) => void = () => undefined,
): Generator<string> {
  const snapshot = new Snapshot(environment);
  try {
    yield lineOf({ kind: 'store', version: schemaVersion });
    const total = snapshot.approximateCount('tasks');
    let done = 0;
    for (const { row, state } of snapshot.places()) {
      yield lineOf(taskLine(snapshot, row, state));
      done += 1;
      if (done % 100 === 0) onProgress({ done, total });
    }
    for (const { key, value } of snapshot.entries('keys')) {
      yield lineOf({ kind: 'idempotencyKey', key: key.toString(), ...value });
    }
    for (const { key, value } of snapshot.entries('documents')) {
      yield lineOf({
        kind: 'document',
        document: { ...documentNameOf(key), value: decode(value) },
      });
    }
  } finally {
    snapshot.close();
  }
}

function taskLine(snapshot: Snapshot, row: Row, state: TaskState): Line {
  const head = snapshot.get('tasks', row.id);
  const spec = snapshot.get('specs', row.id);
  if (!head || !spec) {
    throw new ScriptdError('STORE_CORRUPT', `task ${row.id} is not whole: check the store`);
  }
  const result = snapshot.get('results', row.id);
  const view = { ...viewOf(head, row, state), ...(result && decode<Bulk>(result)) };
  const { attemptsBefore, workerDeaths } = row;
  const delivery = snapshot.get('deliveries', row.id);
  return {
    ...{ kind: 'task', view, spec: decode<TaskSpec>(spec), attemptsBefore, workerDeaths },
    ...(delivery && { delivery: decode<Delivery>(delivery) }),
  };
}

/**
 * Writes the lines of an export into a store that nobody else writes. What it brings is added to
 * what is there, in its order, as newer submissions.
 *
 * @returns how many tasks and documents came
 * @throws ScriptdError IMPORT_INVALID (not an export, or not of this version), STORE_DUPLICATE (a
 *   task or document is there already): the line is named, and what the commits before it brought
 *   stays; STORE_FULL and the other codes of a store
 */
export async function importLines(
  commits: Pick<Commits, 'add'>,
  lines: AsyncIterable<string>,
  onProgress: (done: number) => void = () => undefined,
): Promise<{ tasks: number; documents: number }> {
  const total = { tasks: 0, documents: 0 };
  let number = 0;
  let batch: { number: number; line: Line }[] = [];
  const flush = async () => {
    const entries = batch;
    batch = [];
    await commits.add((changes) => bring(changes, entries));
    for (const { line } of entries) {
      if (line.kind === 'task') total.tasks += 1;
      if (line.kind === 'document') total.documents += 1;
    }
    onProgress(number);
  };
  for await (const text of lines) {
    number += 1;
    if (text.trim() === '') continue;
    const line = parseLine(text, number);
    if (number === 1) {
      if (line.kind !== 'store' || !importable.includes(line.version)) {
        const known = `${importable.slice(0, -1).join(', ')} or ${schemaVersion}`;
        throw invalid(number, `it does not begin an export of version ${known}`);
      }
      continue;
    }
    batch.push({ number, line });
    if (batch.length >= lmdbStoreLimits.importLinesMax) await flush();
  }
  if (number === 0) throw invalid(1, 'there is none');
  if (batch.length > 0) await flush();
  return total;
}

function bring(changes: Changes, entries: readonly { number: number; line: Line }[]): void {
  const counts = readCounts(changes);
  const duplicate = (number: number, what: string) =>
    new ScriptdError('STORE_DUPLICATE', `line ${number}: ${what} is in the store already`);
  for (const { number, line } of entries) {
    switch (line.kind) {
      case 'task': {
        const { id } = line.view;
        if (!isTaskId(id)) throw invalid(number, 'it has no id of a task');
        if (changes.get('tasks', id)) throw duplicate(number, `task ${id}`);
        const small = withoutBulk(line.view);
        const bulk = bulkOf(line.view);
        const toldEnd = small.webhook ? small.finishedAt : undefined;
        if (line.delivery?.finishedAt !== toldEnd) {
          throw invalid(number, 'its delivery is not that of its end');
        }
        insert(changes, counts, { ...line, view: small, bulk });
        break;
      }
      case 'idempotencyKey': {
        const { key, taskId, at } = line;
        if (changes.get('keys', Buffer.from(key))) throw duplicate(number, 'an idempotency key');
        holdKey(changes, key, { taskId, at });
        break;
      }
      case 'document': {
        const { kind, id, value } = line.document;
        const key = documentKey(kind, id);
        if (changes.get('documents', key)) throw duplicate(number, `${kind} ${id}`);
        changes.put('documents', key, encode(value));
        break;
      }
      case 'store':
        throw invalid(number, 'another export begins');
    }
  }
  writeCounts(changes, counts);
}

/** Without U+2028 and U+2029, which JSON has as they are, and at which others end lines, too. */
function lineOf(line: Line): string {
  const text = JSON.stringify(line, writeBytes);
  return `${text.replaceAll('\u2028', '\\u2028').replaceAll('\u2029', '\\u2029')}\n`;
}

function writeBytes(this: unknown, key: string, value: unknown): unknown {
  // JSON.stringify has asked toJSON of a Buffer before.
  const original = (this as Record<string, unknown>)[key];
  if (!(original instanceof Uint8Array)) return value;
  const { buffer, byteOffset, byteLength } = original;
  return { $base64: Buffer.from(buffer, byteOffset, byteLength).toString('base64') };
}

function readBytes(_key: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || !('$base64' in value)) return value;
  return Buffer.from(String(value.$base64), 'base64');
}

function parseLine(text: string, number: number): Line {
  let line: unknown;
  try {
    line = JSON.parse(text, readBytes);
  } catch {
    throw invalid(number, 'it is not JSON');
  }
  const kind = (line as { kind?: unknown } | null)?.kind;
  const known = validators.get(kind);
  if (!known) throw invalid(number, 'its `kind` is none of an export');
  const view = (line as { view?: Partial<TaskView> | null }).view;
  if (typeof view?.webhook?.origin === 'string') view.webhook = shownTarget(view.webhook);
  const misfit = known.misfit(line);
  if (misfit) throw invalid(number, misfit.message);
  return line as Line;
}

function invalid(number: number, what: string): ScriptdError {
  return new ScriptdError('IMPORT_INVALID', `line ${number} is not one of an export: ${what}`);
}
