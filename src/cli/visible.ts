/**
 * Texts of others on a terminal. What a tag, a group or a reason holds must not move the cursor, set
 * a title or turn the order of the text around: such characters are shown as escapes.
 */

/**
 * C0 and C1 controls and DEL; what formats without being seen (bidirectional controls, zero width,
 * tags); line and paragraph separators; halves of surrogate pairs.
 */
const unseen = /[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]/gu;

/** Joins emoji, and letters of some scripts: of no effect by itself. */
const joiner = '\u200d';

/** On one line, with nothing in it that a terminal would obey. */
export function visible(text: string): string {
  return text.replace(unseen, (char) => (char === joiner ? char : escaped(char)));
}

/** Like `visible`, but lines and tabs stay. */
export function visibleLines(text: string): string {
  return text.replace(unseen, (char) => (/[\n\t\u200d]/.test(char) ? char : escaped(char)));
}

function escaped(char: string): string {
  const code = char.codePointAt(0) ?? 0;
  if (char === '\n') return '\\n';
  if (char === '\t') return '\\t';
  if (char === '\r') return '\\r';
  return code < 0x100 ? `\\x${hex(code, 2)}` : `\\u{${hex(code, 4)}}`;
}

function hex(code: number, digits: number): string {
  return code.toString(16).padStart(digits, '0');
}

const segmenter = new Intl.Segmenter('en');
const isPlain = /^[\x20-\x7e]*$/;
/** Source: Unicode Standard Annex 11, the ranges that are wide in every font */
const wide =
  /^[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\ua960-\ua97c\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{20000}-\u{3fffd}]|^\p{Emoji_Presentation}|\ufe0f/u;

function segmentColumns(segment: string): number {
  if (wide.test(segment)) return 2;
  return /^\p{M}/u.test(segment) ? 0 : 1;
}

/** Columns that a visible text takes on a terminal. */
export function columnsOf(text: string): number {
  if (isPlain.test(text)) return text.length;
  let columns = 0;
  for (const { segment } of segmenter.segment(text)) columns += segmentColumns(segment);
  return columns;
}

/** A visible text in exactly so many columns: filled up, or cut with an ellipsis. */
export function fitted(text: string, columns: number, side: 'left' | 'right' = 'left'): string {
  const room = columns - columnsOf(text);
  if (room >= 0) return side === 'left' ? text + ' '.repeat(room) : ' '.repeat(room) + text;
  if (columns <= 0) return '';
  let cut = '';
  let used = 0;
  for (const { segment } of segmenter.segment(text)) {
    const more = segmentColumns(segment);
    if (used + more > columns - 1) break;
    cut += segment;
    used += more;
  }
  return `${cut}…${' '.repeat(columns - 1 - used)}`;
}
