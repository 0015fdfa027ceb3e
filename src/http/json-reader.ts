import { isUtf8 } from 'node:buffer';
import { errorMessage } from '../errors.js';
import { refuseUnfitJson } from './json-scan.js';
import { problem } from './problem.js';

/**
 * The value of a JSON text, read strictly: what two readers could understand in two ways is not
 * understood at all.
 *
 * Source: RFC 8259; RFC 7493 (I-JSON), 2.1 to 2.3
 * @param what names the text in problems: `the body`, `the line`
 * @throws Problem INVALID_UTF8, INVALID_JSON, INVALID_FIELD (a number that no double holds).
 */
export function readJson(json: Buffer, what: string): unknown {
  if (json.length === 0) {
    throw problem('INVALID_JSON', `${what} is empty; it must be a JSON object`);
  }
  if (json[0] === 0xef && json[1] === 0xbb && json[2] === 0xbf) {
    throw problem('INVALID_JSON', `${what} begins with a byte order mark: leave it out`);
  }
  if (!isUtf8(json)) throw problem('INVALID_UTF8', `${what} is not valid UTF-8`);
  const text = json.toString('utf8');
  refuseUnfitJson(json, text, what);
  try {
    return JSON.parse(text);
  } catch (error) {
    throw problem('INVALID_JSON', `${what} is not valid JSON: ${errorMessage(error)}`);
  }
}
