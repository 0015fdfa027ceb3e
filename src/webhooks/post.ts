import { lookup as lookUp } from 'node:dns/promises';
import { type ClientRequest, type IncomingMessage, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { isIP } from 'node:net';
import { errorCode, errorMessage } from '../errors.js';
import { webhookLimits } from './limits.js';
import { nameOf, type Reach } from './reach.js';

export interface Post {
  url: string;
  headers: Record<string, string>;
  body: string;
  /** How many attempts came before: of several addresses each has its turn. */
  tries: number;
}

/** What came of one attempt. */
export interface Answer {
  status?: number;
  /** One sentence: why it does not count; absent when it does. */
  error?: string;
  /** The receiver asks to wait so long. */
  retryAfterMs?: number;
  /** It would come to nothing again. */
  final?: true;
}

/** Every address of a name, as getaddrinfo(3) has it. */
export type Lookup = (name: string) => Promise<readonly { address: string }[]>;

export interface PostOptions {
  reach: Reach;
  lookup?: Lookup;
  attemptMs?: number;
  answerBodyMs?: number;
}

/**
 * One POST, with everything about it bounded. The name is looked up once, and the connection is made
 * to an address of that look-up which `reach` permits: a name that leads elsewhere a moment later
 * leads nobody there. Redirects are not followed, and no proxy is asked.
 */
export async function post(
  { url: text, headers, body, tries }: Post,
  { reach, lookup = systemLookup, attemptMs = webhookLimits.attemptMs, ...rest }: PostOptions,
): Promise<Answer> {
  const url = new URL(text);
  const host = nameOf(url.hostname);
  const startMs = performance.now();
  const late = `there was no answer within ${attemptMs} ms`;
  const found = await within(attemptMs, addressesOf(host, lookup));
  if (found === undefined) return { error: late };
  if (found instanceof Error) return { error: `${host} is not found: ${reasonOf(found)}` };
  const permitted = found.filter((address) => reach.permits(address, host));
  const address = permitted[tries % permitted.length];
  // Which one it is, is nobody's business who can submit a task.
  if (address === undefined) {
    return { error: `${host} leads to no address that webhooks may have`, final: true };
  }
  const isTls = url.protocol === 'https:';
  const request = (isTls ? requestHttps : requestHttp)({
    method: 'POST',
    host: address,
    port: url.port || (isTls ? 443 : 80),
    path: `${url.pathname}${url.search}`,
    headers: { ...headers, host: url.host, 'content-length': Buffer.byteLength(body) },
    // Of its own, and not kept.
    agent: false,
    maxHeaderSize: webhookLimits.answerHeadBytesMax,
    ...(isTls && { servername: isIP(host) ? '' : host, rejectUnauthorized: true }),
  });
  const answerBodyMs = rest.answerBodyMs ?? webhookLimits.answerBodyMs;
  const leftMs = Math.max(1, attemptMs - (performance.now() - startMs));
  const timer = setTimeout(() => request.destroy(new Error(late)), leftMs);
  try {
    const response = await responseOf(request, body);
    clearTimeout(timer);
    const answer = answerOf(response);
    await drained(response, answerBodyMs);
    return answer;
  } catch (error) {
    return { error: reasonOf(error) };
  } finally {
    clearTimeout(timer);
    request.destroy();
  }
}

async function systemLookup(name: string): Promise<readonly { address: string }[]> {
  return await lookUp(name, { all: true, verbatim: true });
}

async function addressesOf(host: string, lookup: Lookup): Promise<string[]> {
  if (isIP(host)) return [host];
  return (await lookup(host)).map(({ address }) => address);
}

/** Its value, or why there is none; undefined when that takes longer. */
function within<T>(ms: number, promise: Promise<T>): Promise<T | Error | undefined> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(undefined), ms);
    promise
      .catch((error: unknown) => (error instanceof Error ? error : new Error(String(error))))
      .then((value) => {
        clearTimeout(timer);
        resolve(value);
      });
  });
}

/** The head of the answer. */
function responseOf(request: ClientRequest, body: string): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    request.on('error', reject);
    request.on('response', resolve);
    // Also where it wants to speak another protocol.
    request.on('close', () => reject(new Error('the connection was closed without an answer')));
    request.end(body);
  });
}

/**
 * What is left of an answer matters to nobody. It is read, so that its sender has no error, but not
 * for long.
 */
function drained(response: IncomingMessage, waitMs: number): Promise<void> {
  return new Promise((resolve) => {
    let bytes = 0;
    const done = () => {
      clearTimeout(timer);
      resolve();
    };
    const timer = setTimeout(done, waitMs);
    response.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > webhookLimits.answerBodyBytesMax) done();
    });
    // One that breaks in the middle has been answered all the same.
    response.on('error', done);
    response.on('end', done);
    response.on('close', done);
  });
}

function answerOf({ statusCode: status = 0, headers }: IncomingMessage): Answer {
  if (status >= 200 && status < 300) return { status };
  // Node hands on any three digits.
  if (status < 100) return { error: `the receiver answered ${status}, which is no status of HTTP` };
  const retryAfterMs = retryAfterOf(headers['retry-after']);
  const wait = retryAfterMs === undefined ? {} : { retryAfterMs };
  if (status === 410)
    return { status, error: 'the receiver wants no more (410 Gone)', final: true };
  if (status >= 300 && status < 400) {
    return {
      status,
      error: `the receiver answered ${status}: redirects are not followed`,
      ...wait,
    };
  }
  return { status, error: `the receiver answered ${status}`, ...wait };
}

/** Seconds, or a date; anything else does not count. Source: RFC 9110, 10.2.3 */
function retryAfterOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const ms = /^\d{1,9}$/.test(text) ? Number(text) * 1000 : Date.parse(text) - Date.now();
  if (!(ms > 0)) return undefined;
  return Math.min(ms, webhookLimits.retryAfterMsMax);
}

function reasonOf(error: unknown): string {
  const code = errorCode(error);
  const message = errorMessage(error);
  return code === undefined || message.includes(code) ? message : `${message} (${code})`;
}
