import { type Problem, problem } from './problem.js';

/** Bytes of a body, both ends included. */
export interface ByteRange {
  first: number;
  last: number;
}

/**
 * The bytes that a Range header asks for; undefined: all of them. A header that is none of one range
 * of bytes is passed over, as the RFC allows.
 *
 * Source: RFC 9110, 14.1.2 and 14.2
 * @param size of the whole, in bytes
 * @throws Problem RANGE_NOT_SATISFIABLE
 */
export function readRange(header: string | undefined, size: number): ByteRange | undefined {
  const [, from = '', to = ''] = /^bytes=\s*(\d{0,15})-(\d{0,15})\s*$/i.exec(header ?? '') ?? [];
  if (from === '' && to === '') return undefined;
  // Without a beginning it is so many at the end.
  const first = from === '' ? Math.max(0, size - Number(to)) : Number(from);
  const last = from === '' || to === '' ? size - 1 : Math.min(Number(to), size - 1);
  if (from !== '' && to !== '' && Number(to) < Number(from)) return undefined;
  if (first >= size || last < first) throw unsatisfiable(size);
  return { first, last };
}

/** Of an answer with these bytes, status 206. */
export function rangeHeaders({ first, last }: ByteRange, size: number): Record<string, string> {
  return { 'content-range': `bytes ${first}-${last}/${size}` };
}

function unsatisfiable(size: number): Problem {
  const detail = `there are ${size} bytes, and none of those that \`Range\` asks for`;
  const headers = { 'content-range': `bytes */${size}` };
  return problem('RANGE_NOT_SATISFIABLE', detail, {}, headers);
}
