import { nearestName } from '../schema.js';
import { httpLimits } from './limits.js';
import { problem } from './problem.js';
import { type Decoded, formDecode } from './twice-encoded.js';

const none: ReadonlyMap<string, string> = new Map();

/**
 * The parameters of a request's URL, values still encoded. The raw URL is read because the code in
 * it may be megabytes, and because how it is decoded is this service's own affair.
 *
 * @throws Problem UNKNOWN_PARAMETER, REPEATED_PARAMETER, INVALID_ENCODING, INVALID_UTF8.
 */
export function readQuery(url: string, known: readonly string[]): ReadonlyMap<string, string> {
  const start = url.indexOf('?');
  if (start < 0) return none;
  const values = new Map<string, string>();
  for (const part of url.slice(start + 1).split('&')) {
    if (part === '') continue;
    const equals = part.indexOf('=');
    const encodedName = equals < 0 ? part : part.slice(0, equals);
    const name = decodedText(formDecode(encodedName), 'the name of a query parameter');
    if (!known.includes(name)) throw unknownParameter(name, known);
    if (values.has(name)) {
      throw problem('REPEATED_PARAMETER', `\`${name}\` is given more than once`, { field: name });
    }
    values.set(name, equals < 0 ? '' : part.slice(equals + 1));
  }
  return values;
}

/** The decoded text, or the problem that names `what` could not be decoded. */
export function decodedText(decoded: Decoded, what: string, field?: string): string {
  if (decoded.ok) return decoded.text;
  const code = decoded.fault === 'not valid UTF-8' ? 'INVALID_UTF8' : 'INVALID_ENCODING';
  const cure =
    code === 'INVALID_ENCODING'
      ? 'a literal % is written %25'
      : 'encode the text as UTF-8, then each byte as %XX';
  throw problem(code, `${what}: ${decoded.fault}; ${cure}`, field ? { field } : {});
}

function unknownParameter(name: string, known: readonly string[]) {
  const short = name.slice(0, httpLimits.nameMax);
  const nearest = nearestName(short, known);
  const list = known.length > 0 ? `known are ${known.join(', ')}` : 'this path takes none';
  // Code whose & was not encoded looks like further parameters.
  const hint = known.includes('code') ? ' (a literal & in the code is written %26)' : '';
  const cure = nearest ? `did you mean \`${nearest}\`?` : `${list}${hint}`;
  return problem('UNKNOWN_PARAMETER', `the query parameter \`${short}\` is not known; ${cure}`, {
    field: short,
  });
}
