import { type Answer, passed } from './answer.js';
import { excerpt, shown } from './excerpt.js';
import { textOf } from './output.js';
import { placeOf, restOfLine } from './place.js';

/** Of a line that differs, shown before the place where it does. */
const contextCharacters = 60;

/** Compares an output with the one that is right. In time that grows with their length. */
export function judgeExact(
  { exact, trim = false }: { exact: string; trim?: boolean },
  output: Uint8Array,
): Answer {
  const text = textOf(output);
  if (typeof text !== 'string') return text;
  const right = trim ? exact.trim() : exact;
  const came = trim ? text.trim() : text;
  if (came === right) return passed;
  let index = 0;
  while (index < right.length && came[index] === right[index]) index++;
  // The line that differs says more than the character; of a long one, what is near it.
  const lineStart = index === 0 ? 0 : right.lastIndexOf('\n', index - 1) + 1;
  const from = Math.max(lineStart, index - contextCharacters);
  const offset = trim ? text.length - text.trimStart().length : 0;
  const expected = restOfLine(right, from);
  const got = restOfLine(came, from);
  return {
    kind: 'mismatch',
    format: {
      expected: index >= right.length ? endOf(expected) : shown(expected),
      at: excerpt(placeOf(text, offset + index)),
      got: index >= came.length ? endOf(got) : shown(got),
    },
  };
}

function endOf(line: string): string {
  return line === '' ? 'the end of the output' : `${shown(line)} and the end of the output`;
}
