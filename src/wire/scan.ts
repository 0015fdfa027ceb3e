/**
 * A look at the structure of one MessagePack value before it is decoded, without allocating: every
 * length fits into the bytes that are there, nesting and the number of maps and arrays are bounded
 * (an empty map takes one byte here, and some sixty once decoded), only the types of docs/PROTOCOL.md
 * occur (no extension types: decoders build objects of their own from them; no integers that would
 * need a bigint, which is no JSON and no number), the value ends where the bytes end. What passes can be decoded in time and memory proportional to its size.
 *
 * Source: https://github.com/msgpack/msgpack/blob/master/spec.md
 */

/** Entries still expected at each depth; scanning is synchronous, so one array serves all. */
const expected = new Float64Array(64);

/**
 * Why `bytes` is not one acceptable value, or undefined when it is.
 *
 * @param depthMax at most 63
 * @param containersMax maps and arrays in all, empty ones included
 */
export function structureFault(
  bytes: Uint8Array,
  depthMax: number,
  containersMax = Number.POSITIVE_INFINITY,
): string | undefined {
  const end = bytes.length;
  let position = 0;
  let depth = 0;
  let containers = 0;
  expected[0] = 1;
  while (depth >= 0) {
    if (expected[depth] === 0) {
      depth--;
      continue;
    }
    (expected[depth] as number)--;
    if (position >= end) return 'it ends in the middle of a value';
    const byte = bytes[position++] as number;
    let skip = 0;
    let children = -1; // of what is neither a map nor an array
    if (byte <= 0x7f || byte >= 0xe0) continue;
    if (byte <= 0x8f) children = 2 * (byte & 0x0f);
    else if (byte <= 0x9f) children = byte & 0x0f;
    else if (byte <= 0xbf) skip = byte & 0x1f;
    else {
      const size = sizes[byte - 0xc0] as number;
      if (size < 0) return `byte 0x${byte.toString(16)} is not of an allowed type`;
      if (position + (size & 7) > end) return 'it ends in the middle of a value';
      if (byte <= 0xc3 || (byte >= 0xca && byte <= 0xd3)) {
        if ((byte === 0xcf || byte === 0xd3) && isLarge(bytes, position, byte === 0xd3)) {
          return 'an integer is larger than a number holds exactly';
        }
        skip = size;
      } else {
        let length = 0;
        for (let index = 0; index < size; index++)
          length = length * 256 + (bytes[position++] as number);
        if (byte <= 0xdb) skip = length;
        else children = byte >= 0xde ? 2 * length : length;
      }
    }
    if (skip > end - position) return 'a length is larger than what follows';
    position += skip;
    if (children >= 0 && ++containers > containersMax) {
      return `it has more than ${containersMax} maps and arrays`;
    }
    if (children > 0) {
      if (children > end - position) return 'a length is larger than what follows';
      if (++depth > depthMax) return `it is nested deeper than ${depthMax}`;
      expected[depth] = children;
    }
  }
  return position === end ? undefined : 'bytes follow the value';
}

/** Whether 64 bits stand for an integer beyond 53 bits and a sign. */
function isLarge(bytes: Uint8Array, position: number, isSigned: boolean): boolean {
  let high = 0;
  for (let index = 0; index < 4; index++) high = high * 256 + (bytes[position + index] as number);
  if (isSigned) high |= 0;
  return high > 0x1fffff || high < -0x200000;
}

/**
 * For the types 0xc0 to 0xdf: bytes of the fixed value or of the length field; -1 where the type is
 * not allowed.
 */
const sizes = Int8Array.of(
  ...[0, -1, 0, 0], // nil, (never used), false, true
  ...[1, 2, 4], // bin 8, 16, 32
  ...[-1, -1, -1], // ext 8, 16, 32
  ...[4, 8], // float 32, 64
  ...[1, 2, 4, 8], // uint 8 to 64
  ...[1, 2, 4, 8], // int 8 to 64
  ...[-1, -1, -1, -1, -1], // fixext 1 to 16
  ...[1, 2, 4], // str 8, 16, 32
  ...[2, 4], // array 16, 32
  ...[2, 4], // map 16, 32
);
