import { limits } from '../limits.js';
import { nearestName, validator } from '../schema.js';
import { TypeName, taskStates } from '../task.js';
import { outcomes } from '../verdict.js';
import { pageTasksMax } from '../wire/messages.js';
import type { TaskQuery } from './controller-port.js';
import { httpLimits } from './limits.js';
import { type Problem, problem } from './problem.js';
import { decodedText, readQuery } from './query.js';
import { formDecode } from './twice-encoded.js';

type Name = keyof TaskQuery;
/** What a parameter's text stands for. */
type Readers = { [Key in Name]-?: (text: string, name: Key) => NonNullable<TaskQuery[Key]> };

const typeNames = validator(TypeName);

const readers: Readers = {
  state: (text, name) => oneOf(taskStates, text, name),
  type: (text, name) => {
    if (typeNames.fits(text)) return text;
    throw unfit(name, 'must be the name of a type, e.g. python, node or bash');
  },
  outcome: (text, name) => oneOf(outcomes, text, name),
  group: shortText,
  tag: shortText,
  deadLetter: (text, name) => {
    if (text === 'true') return true;
    throw unfit(name, 'must be true; leave it out for all tasks');
  },
  text: shortText,
  cursor: (text) => {
    if (/^[\x21-\x7e]{1,256}$/.test(text)) return text;
    const detail = 'the cursor is not one: use `next` of the page before';
    throw problem('BAD_CURSOR', detail, { field: 'cursor' });
  },
  limit: (text, name) => {
    const count = /^\d{1,4}$/.test(text) ? Number(text) : 0;
    if (count >= 1 && count <= pageTasksMax) return count;
    throw unfit(name, `must be a whole number from 1 to ${pageTasksMax}`);
  },
};

/**
 * What tasks GET /v1/tasks asks for.
 *
 * @throws Problem INVALID_FIELD, BAD_CURSOR, and what `readQuery` and `decodedText` throw.
 */
export function readTaskQuery(url: string): TaskQuery {
  return readKnown(url, Object.keys(readers));
}

/** The same of GET /v1/tasks/events, which follows the first page. */
export function readFirstPageQuery(url: string): TaskQuery {
  return readKnown(
    url,
    Object.keys(readers).filter((name) => name !== 'cursor'),
  );
}

function readKnown(url: string, known: readonly string[]): TaskQuery {
  const query: TaskQuery = { limit: httpLimits.pageTasksDefault };
  for (const [name, encoded] of readQuery(url, known)) {
    const text = decodedText(formDecode(encoded), `\`${name}\``, name);
    const read = readers[name as Name] as (text: string, name: string) => unknown;
    Object.assign(query, { [name]: read(text, name) });
  }
  return query;
}

function oneOf<const Value extends string>(values: readonly Value[], text: string, name: string) {
  const value = values.find((known) => known === text);
  if (value !== undefined) return value;
  const nearest = nearestName(text, values);
  const hint = nearest === undefined ? '' : `; did you mean \`${nearest}\`?`;
  throw unfit(name, `must be one of: ${values.join(', ')}${hint}`);
}

function shortText(text: string, name: string): string {
  const bytes = Buffer.byteLength(text);
  if (bytes >= 1 && bytes <= limits.tagBytesMax) return text;
  throw unfit(name, `must have 1 to ${limits.tagBytesMax} bytes`);
}

function unfit(name: string, what: string): Problem {
  return problem('INVALID_FIELD', `\`${name}\` ${what}`, { field: name });
}
