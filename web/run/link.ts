import type { TaskSpec } from '../../src/client/task.js';
import { isObject } from './submission.js';

/** Longer ones do not pass through what people send links with. Characters of the fragment. */
export const linkCharactersMax = 64 * 1024;
/** Of what is in one, opened. What is written by people is never packed that well; a trap is. Bytes. */
const openedBytesMax = 1024 * 1024;

/** A submission as a part of an address: JSON, deflated, base64url. Undefined: it is too large. */
export async function packed(spec: TaskSpec): Promise<string | undefined> {
  const json = new Blob([JSON.stringify(spec)]);
  if (json.size > openedBytesMax) return undefined;
  const stream = json.stream().pipeThrough(new CompressionStream('deflate-raw'));
  const bytes = new Uint8Array(await new Response(stream).arrayBuffer());
  let binary = '';
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return btoa(binary).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
}

/** @throws Error with a sentence: it is none, or what is in it is too large */
export async function unpacked(text: string): Promise<Record<string, unknown>> {
  if (text.length > linkCharactersMax) throw new Error('The script in this link is too large.');
  let spec: unknown;
  try {
    const binary = atob(text.replaceAll('-', '+').replaceAll('_', '/'));
    const bytes = Uint8Array.from(binary, (character) => character.charCodeAt(0));
    const stream = new Blob([bytes]).stream();
    const opened = await bounded(stream.pipeThrough(new DecompressionStream('deflate-raw')));
    spec = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(opened));
  } catch (error) {
    if (error instanceof RangeError) throw new Error('What is in this link is too large.');
    throw new Error('This link is damaged: what it is to fill in can not be read.');
  }
  if (!isObject(spec)) throw new Error('This link is damaged: there is no submission in it.');
  return spec;
}

/** @throws RangeError as soon as it is too much: a small link may hold a great deal */
async function bounded(stream: ReadableStream<Uint8Array>): Promise<Uint8Array<ArrayBuffer>> {
  const reader = stream.getReader();
  const parts: Uint8Array<ArrayBuffer>[] = [];
  let length = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return new Uint8Array(await new Blob(parts).arrayBuffer());
    length += value.length;
    if (length > openedBytesMax) {
      await reader.cancel();
      throw new RangeError('too large');
    }
    parts.push(Uint8Array.from(value));
  }
}
