import type { IncomingMessage } from 'node:http';
import type { TaskSpec } from '../task.js';

/** Members of a tracestate, and its length, of which a service has to keep at least so much. */
const membersMax = 32;
const stateCharactersMax = 512;
/** Longer ones are not even read. */
const stateReadMax = 16 * 1024;

const parentForm = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;
const stateKey = '[a-z0-9][a-z0-9_*/-]{0,255}|[a-z0-9][a-z0-9_*/-]{0,240}@[a-z][a-z0-9_*/-]{0,13}';
// Printable but for the comma and the equals sign; no blank at the end.
const stateValue = '[\\x20-\\x2b\\x2d-\\x3c\\x3e-\\x7e]{0,255}[\\x21-\\x2b\\x2d-\\x3c\\x3e-\\x7e]';
const memberForm = new RegExp(`^(${stateKey})=(?:${stateValue})$`);

/** Those of the known flags: sampled, random trace id. */
const knownFlags = 0x03;

/**
 * The trace that a request belongs to, to be stored with its task. Nothing when it names none, or not
 * as it must: such headers are ignored, never refused.
 *
 * Source: W3C Trace Context Level 2, sections 3.2 and 3.3
 */
export function readTraceContext(
  request: IncomingMessage,
): Pick<TaskSpec, 'traceparent' | 'tracestate'> {
  if (request.headers.traceparent === undefined) return {};
  const { traceparent: parents = [], tracestate: states = [] } = request.headersDistinct;
  const traceparent = parents.length === 1 ? readParent(parents[0] ?? '') : undefined;
  if (traceparent === undefined) return {};
  const tracestate = readState(states.join(','));
  return { traceparent, ...(tracestate !== undefined && { tracestate }) };
}

/** In version 00, which has all that later ones must begin with. */
function readParent(text: string): string | undefined {
  const [, version, traceId, parentId, flags, more] = parentForm.exec(text) ?? [];
  if (!version || !traceId || !parentId || !flags || version === 'ff') return undefined;
  if (version === '00' && more !== undefined) return undefined;
  if (/^0+$/.test(traceId) || /^0+$/.test(parentId)) return undefined;
  const known = (Number.parseInt(flags, 16) & knownFlags).toString(16).padStart(2, '0');
  return `00-${traceId}-${parentId}-${known}`;
}

/**
 * Without spaces and tabs at its ends. An expression would begin anew at each blank of a run within:
 * for thousands of them that takes as long as nothing else may.
 */
function trimmed(text: string): string {
  let [start, end] = [0, text.length];
  while (start < end && isBlank(text[start])) start++;
  while (start < end && isBlank(text[end - 1])) end--;
  return text.slice(start, end);
}

function isBlank(character: string | undefined): boolean {
  return character === ' ' || character === '\t';
}

/** As many of its members, from the first on, as there is room for. One that is wrong spoils all. */
function readState(text: string): string | undefined {
  if (text.length > stateReadMax) return undefined;
  const members = text.split(',').map((member) => trimmed(member));
  const keys = new Set<string>();
  let state = '';
  let isFull = false;
  for (const member of members) {
    if (member === '') continue;
    const [, key] = memberForm.exec(member) ?? [];
    if (key === undefined || keys.has(key) || keys.size === membersMax) return undefined;
    keys.add(key);
    const longer = state === '' ? member : `${state},${member}`;
    isFull ||= longer.length > stateCharactersMax;
    if (!isFull) state = longer;
  }
  return state === '' ? undefined : state;
}
