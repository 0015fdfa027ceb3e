import { bytesOf } from '../client/index.js';

/** An output for people; bytes that are not UTF-8 are shown as U+FFFD. */
export function bytesText(text: string, encoding: 'utf-8' | 'base64' = 'utf-8') {
  const isText = encoding === 'utf-8';
  return { shown: isText ? text : new TextDecoder().decode(bytesOf(text, encoding)), isText };
}
