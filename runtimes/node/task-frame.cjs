'use strict';

const magic = 0x314b5453;
const inspectFlag = 1;

/**
 * The task frame: all that a prepared process learns about its task. Little-endian; a string is its
 * length in bytes (u32), the bytes, and a NUL that is not counted; a list is its length and items:
 *
 *     u32 magic, u32 flags, argv, env "NAME=value",
 *     limits (resource u32, soft u64, hard u64), files (name, mode u32, content)
 *
 * @param {Buffer} data
 * @returns {{inspect: boolean, argv: string[], env: string[],
 *   files: {name: string, mode: number, content: Buffer}[]}}
 * @throws {RangeError} it is malformed
 */
function decodeTaskFrame(data) {
  let at = 0;
  const u32 = () => {
    at += 4;
    return data.readUInt32LE(at - 4);
  };
  const bytes = () => {
    const size = u32();
    const end = at + size;
    if (data[end] !== 0) throw new RangeError('a string does not end where it should');
    const value = data.subarray(at, end);
    at = end + 1;
    return value;
  };
  const string = () => bytes().toString();
  const list = (item) => {
    const items = [];
    for (let left = u32(); left > 0; left--) items.push(item());
    return items;
  };
  const limit = () => {
    u32();
    at += 16;
  };
  const file = () => ({ name: string(), mode: u32(), content: bytes() });

  if (u32() !== magic) throw new RangeError('it does not begin with STK1');
  const inspect = (u32() & inspectFlag) !== 0;
  const argv = list(string);
  const env = list(string);
  list(limit);
  const files = list(file);
  if (at !== data.length) throw new RangeError('it does not end where it should');
  if (argv.length === 0 || files.length === 0) throw new RangeError('it has no script');
  return { inspect, argv, env, files };
}

module.exports = { decodeTaskFrame };
