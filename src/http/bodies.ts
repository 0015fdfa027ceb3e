import type { IncomingMessage } from 'node:http';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { BodyRoom } from './body-room.js';
import { sendContinue } from './expectation.js';
import { GatheredBytes } from './gathered-bytes.js';
import { httpLimits } from './limits.js';
import { type Problem, problem } from './problem.js';

/** Within this scope the body of an order that needs none is not looked at, nor waited for. */
export function ignoreBodies(scope: FastifyInstance): void {
  scope.removeAllContentTypeParsers();
  scope.addContentTypeParser('*', (_request, _payload, done) => done(null));
}

/**
 * All of a request's body, or why it is not to be had, is told to `done`. After a problem the body is
 * not read any further.
 *
 * Problems: BODY_TOO_LARGE, before anything is read if the request says its length;
 * REQUEST_TIMEOUT; OVERLOADED, as the room says; BAD_REQUEST when it ends too early.
 */
export function receiveBody(
  request: FastifyRequest,
  bytesMax: number,
  room: BodyRoom,
  done: (problem: Problem | null, body?: Buffer) => void,
): void {
  const lengthText = request.headers['content-length'];
  const length = lengthText === undefined ? Number.NaN : Number(lengthText);
  if (length > bytesMax) {
    done(tooLarge(bytesMax));
    return;
  }
  const payload = request.raw;
  /** What most bodies are: all there is in one piece, which is used as it is. */
  let whole: Buffer | undefined;
  let gathered: GatheredBytes | undefined;
  const settle = () => {
    clearTimeout(timer);
    reception.close();
    payload.off('data', onData).off('end', onEnd).off('error', onBreak).off('close', onBreak);
  };
  const fail = (why: Problem) => {
    settle();
    payload.pause();
    done(why);
  };
  const onData = (piece: Buffer) => {
    if (piece.length === length && !gathered) {
      whole = piece;
      reception.hold(length);
      return;
    }
    gathered ??= new GatheredBytes();
    if (gathered.length + piece.length > bytesMax) {
      fail(tooLarge(bytesMax));
      return;
    }
    gathered.add(piece);
    reception.hold(gathered.length);
  };
  const onEnd = () => {
    settle();
    done(null, whole ?? gathered?.take() ?? Buffer.alloc(0));
  };
  const onBreak = () => fail(problem('BAD_REQUEST', 'the body ended before it was whole'));
  const reception = room.open(fail);
  const timer = setTimeout(() => fail(bodyTooSlow()), httpLimits.bodyReceiveMs);
  payload.on('data', onData).on('end', onEnd).on('error', onBreak).on('close', onBreak);
  sendContinue(payload);
}

/**
 * Refuses a body that is written in another way than its media type says.
 *
 * Source: RFC 9110, 8.4 and 15.5.16
 * @throws Problem UNSUPPORTED_CONTENT_ENCODING.
 */
export function refuseEncodedBody(request: IncomingMessage): void {
  const { 'content-encoding': content = '', 'transfer-encoding': transfer = '' } = request.headers;
  if (content === '' && transfer === '') return;
  if (/^(identity)?$/i.test(content.trim()) && /^(chunked)?$/i.test(transfer.trim())) return;
  const coding = `${content} ${transfer}`.trim().slice(0, 64);
  const detail = `the body is encoded (${coding}); send it as it is, or chunked at most`;
  throw problem('UNSUPPORTED_CONTENT_ENCODING', detail, {}, { 'accept-encoding': 'identity' });
}

/**
 * Refuses JSON that says it is not UTF-8.
 *
 * Source: RFC 8259, 8.1
 * @throws Problem UNSUPPORTED_CONTENT_TYPE.
 */
export function refuseOtherCharset(request: FastifyRequest): void {
  const type = request.headers['content-type'] ?? '';
  if (type === 'application/json') return;
  const charset = /;\s*charset\s*=\s*"?([^";]*)/i.exec(type)?.[1]?.trim();
  if (charset === undefined || /^utf-?8$/i.test(charset)) return;
  const detail = `the charset is ${charset.slice(0, 64)}; JSON is UTF-8: encode it so, and leave charset out`;
  throw problem('UNSUPPORTED_CONTENT_TYPE', detail);
}

/**
 * Called when the answer to a request goes out before its body is there: lets the rest come and
 * go, so that the client reads the answer rather than that its connection broke, but not for long.
 */
export function letGo(request: IncomingMessage): void {
  const { socket } = request;
  const timer = setTimeout(() => socket.destroy(), httpLimits.lingerMs);
  request.once('close', () => clearTimeout(timer));
  request.resume();
}

export function bodyTooSlow(): Problem {
  const detail = `the body did not arrive within ${httpLimits.bodyReceiveMs} ms: send it faster`;
  return problem('REQUEST_TIMEOUT', detail);
}

function tooLarge(bytesMax: number): Problem {
  const detail = `the body is larger than ${bytesMax} bytes, the most that this path takes`;
  return problem('BODY_TOO_LARGE', `${detail}; nothing of it was used`);
}
