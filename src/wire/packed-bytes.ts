/**
 * Bytes of a decoded value as MessagePack, at most nine of a number. Counted, not encoded: of what
 * came in a frame it throws for nothing and makes no copy.
 */
export function packedBytes(value: unknown): number {
  if (typeof value === 'string') return textBytes(value);
  if (value instanceof Uint8Array) return headBytesMax + value.length;
  if (typeof value === 'number') return 9;
  if (typeof value !== 'object' || value === null) return 1;
  const isArray = Array.isArray(value);
  let bytes = headBytes(isArray ? value.length : Object.keys(value).length);
  for (const [name, part] of Object.entries(value)) {
    bytes += (isArray ? 0 : textBytes(name)) + packedBytes(part);
  }
  return bytes;
}

/** The type and a length of 32 bits. */
const headBytesMax = 5;

function textBytes(text: string): number {
  const bytes = Buffer.byteLength(text);
  return bytes + (bytes < 32 ? 1 : bytes < 256 ? 2 : bytes < 65_536 ? 3 : headBytesMax);
}

function headBytes(entries: number): number {
  return entries < 16 ? 1 : entries < 65_536 ? 3 : headBytesMax;
}
