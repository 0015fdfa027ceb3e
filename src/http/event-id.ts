import type { FastifyRequest } from 'fastify';
import { cursorStart, cursorStates, type TaskCursor } from '../task-cursor.js';
import { problem } from './problem.js';
import { decodedText, readQuery } from './query.js';
import { formDecode } from './twice-encoded.js';

const header = 'Last-Event-ID';
const parameter = 'lastEventId';

const pattern = new RegExp(`^(\\d{1,9})-(${cursorStates.join('|')})-(\\d{1,15})-(\\d{1,15})$`);

/** A cursor as the `id` of an event: `ATTEMPT-STATE-STDOUT-STDERR`, e.g. `1-running-4096-0`. */
export function eventId({ attempt, state, stdoutOffset, stderrOffset }: TaskCursor): string {
  return `${attempt}-${state}-${stdoutOffset}-${stderrOffset}`;
}

/**
 * After which event the stream is to go on: the header, which a client sends when it connects again,
 * before the parameter of its URL. Neither, or an empty one: from the beginning.
 *
 * Source: WHATWG HTML, 9.2 Server-sent events
 * @throws Problem INVALID_FIELD, and those of `readQuery`.
 */
export function readLastEventId(request: FastifyRequest): TaskCursor {
  const encoded = readQuery(request.url, [parameter]).get(parameter) ?? '';
  const sent = [request.headers['last-event-id'] ?? []].flat().join(', ');
  const field = sent === '' ? parameter : header;
  const text = sent === '' ? decodedText(formDecode(encoded), `\`${field}\``, field) : sent;
  if (text === '') return cursorStart;
  const [, attempt, state, stdoutOffset, stderrOffset] = pattern.exec(text) ?? [];
  const known = cursorStates.find((one) => one === state);
  if (!known) {
    const detail = `\`${field}\` must be the id of an event of this task, as it was sent`;
    throw problem('INVALID_FIELD', detail, { field });
  }
  return {
    attempt: Number(attempt),
    state: known,
    stdoutOffset: Number(stdoutOffset),
    stderrOffset: Number(stderrOffset),
  };
}

/** @throws Problem INVALID_FIELD for an id of another task: this one has not come so far. */
export function refuseAhead(cursor: TaskCursor, attempts: number, taskId: string): void {
  if (cursor.attempt <= attempts) return;
  const detail = `\`${header}\` is of attempt ${cursor.attempt}; the task has had ${attempts}: leave it out`;
  throw problem('INVALID_FIELD', detail, { field: header, taskId });
}
