import { isUtf8 } from 'node:buffer';
import { errorMessage } from '../errors.js';
import { refuseUnfitJson } from './json-scan.js';
import { problem } from './problem.js';

const byteOrderMark = Buffer.from([0xef, 0xbb, 0xbf]);

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
  if (json.subarray(0, byteOrderMark.length).equals(byteOrderMark)) {
    throw problem('INVALID_JSON', `${what} begins with a byte order mark: leave it out`);
  }
  if (!isUtf8(json)) throw problem('INVALID_UTF8', `${what} is not valid UTF-8`);
  refuseUnfitJson(json, what);
  try {
    return JSON.parse(json.toString('utf8'));
  } catch (error) {
    throw problem('INVALID_JSON', `${what} is not valid JSON: ${errorMessage(error)}`);
  }
}
