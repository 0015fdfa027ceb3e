import { Packr, RESERVE_START_SPACE, Unpackr } from 'msgpackr';
import { ScriptdError } from '../errors.js';
import { invariant } from '../invariant.js';
import { limits } from '../limits.js';
import { prefixBytes } from './frame.js';
import { type Message, messageMisfit } from './messages.js';
import { structureFault } from './scan.js';

const packr = new Packr({ useRecords: false, variableMapSize: true });
// Frames are views of a buffer that the next read overwrites: byte strings are copied out of it.
const unpackr = new Unpackr({
  useRecords: false,
  mapsAsObjects: true,
  copyBuffers: true,
  // A bigint, also of a small integer, would be a number to no schema, and no JSON.
  int64AsType: 'number',
});

/** One frame, prefix included, ready to be written. The caller owns the bytes. */
export function encodeFrame(message: Message): Buffer {
  const frame = packr.pack(message, RESERVE_START_SPACE | prefixBytes);
  const size = frame.length - prefixBytes;
  invariant(size <= limits.frameBytesMax, `a ${message.kind} frame of ${size} bytes was built`);
  frame.writeUInt32BE(size, 0);
  return frame;
}

/**
 * The message in one frame's payload, checked against its schema. Keeps no reference to `payload`.
 *
 * @throws ScriptdError FRAME_MALFORMED (not one MessagePack value of the allowed types),
 *   MESSAGE_INVALID (not a message of docs/PROTOCOL.md; the sentence names the field; `requestId` is
 *   that of the message, whatever stands there).
 */
export function decodePayload(payload: Buffer): Message {
  const fault = structureFault(payload, limits.frameDepthMax, limits.frameContainersMax);
  if (fault)
    throw new ScriptdError('FRAME_MALFORMED', `a frame is not valid MessagePack: ${fault}`);
  let value: unknown;
  try {
    value = unpackr.unpack(payload);
  } catch (cause) {
    throw new ScriptdError('FRAME_MALFORMED', 'a frame cannot be decoded', { cause });
  }
  const misfit = messageMisfit(value);
  if (misfit) {
    const { requestId } = (value ?? {}) as { requestId?: unknown };
    throw Object.assign(new ScriptdError('MESSAGE_INVALID', misfit), { requestId });
  }
  return value as Message;
}
