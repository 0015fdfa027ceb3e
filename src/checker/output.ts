import { isUtf8 } from 'node:buffer';
import { limits } from '../limits.js';
import type { Answer } from './answer.js';

/** The output as text, or why it cannot be any. */
export function textOf(output: Uint8Array): string | Answer {
  const bytes = Buffer.from(output.buffer, output.byteOffset, output.byteLength);
  if (isUtf8(bytes)) return bytes.toString('utf8');
  const at = firstInvalid(bytes);
  const got = bytes
    .subarray(at, at + 16)
    .toString('hex')
    .replace(/..(?=.)/g, '$& ');
  return {
    kind: 'mismatch',
    format: { expected: 'text in UTF-8', at: `byte ${at + 1}`, got: `the bytes ${got}` },
  };
}

/** Output that was cut off is not the whole, whatever the part that is there looks like. */
export const truncated: Answer = {
  kind: 'mismatch',
  format: {
    expected: 'the whole output',
    got: `only its beginning and end: it is longer than limits.outputBytes (at most ${limits.outputBytesMax})`,
  },
};

/** Index of the first byte that is not part of valid UTF-8: by halving, since a prefix is valid too. */
function firstInvalid(bytes: Buffer): number {
  let valid = 0;
  let invalid = bytes.length;
  while (invalid - valid > 1) {
    const middle = (valid + invalid) >> 1;
    if (isUtf8(bytes.subarray(0, wholeUntil(bytes, middle)))) valid = middle;
    else invalid = middle;
  }
  return wholeUntil(bytes, valid);
}

/** The end of a prefix without a sequence that it cuts off. */
function wholeUntil(bytes: Buffer, end: number): number {
  let start = end;
  while (start > end - 3 && start > 0 && ((bytes[start - 1] ?? 0) & 0xc0) === 0x80) start--;
  const lead = bytes[start - 1] ?? 0;
  const length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc0 ? 2 : 1;
  return start > 0 && start - 1 + length > end ? start - 1 : end;
}
