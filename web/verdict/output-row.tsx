import type { ComponentChildren } from 'preact';
import type { Match } from './output-matches.js';
import type { Row } from './output-rows.js';
import { visible } from './visible-text.js';

/** More places in one row are not marked. */
const marksMax = 100;

export interface OutputRowProps {
  /** The whole line. */
  line: string;
  row: Row;
  /** Places of this row that were found, and the one that is looked at. */
  matches: readonly Match[];
  current: Match | undefined;
}

export function OutputRow({ line, row, matches, current }: OutputRowProps) {
  const isLineEnd = row.to === line.length;
  const to = isLineEnd && line.endsWith('\r') ? row.to - 1 : row.to;
  const pieces: ComponentChildren[] = [];
  let at = row.from;
  for (const match of matches.slice(0, marksMax)) {
    const from = Math.max(match.from, at);
    const end = Math.min(match.to, to);
    if (end <= from) continue;
    const name = match === current ? 'current' : undefined;
    pieces.push(
      visible(line.slice(at, from)),
      <mark class={name}>{visible(line.slice(from, end))}</mark>,
    );
    at = end;
  }
  pieces.push(visible(line.slice(at, to)));
  return (
    <div class={row.from === 0 ? 'row' : 'row continued'}>
      {pieces}
      {/* So that a copied selection has the lines as they were. */}
      {isLineEnd && '\n'}
    </div>
  );
}
