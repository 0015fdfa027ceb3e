import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv';
import { type Static, type TSchema, Type } from 'typebox';

/** The one Ajv: strict, no coercion, no defaults, nothing removed, first error only. */
const ajv = new Ajv({
  strict: true,
  allErrors: false,
  coerceTypes: false,
  verbose: true,
  // Lengths in UTF-16 units: counting the characters of a long script takes longer than the rest.
  unicode: false,
  // Ajv deprecates that and says so on stderr each time.
  logger: false,
});
ajv.addKeyword({
  keyword: 'isBytes',
  schemaType: 'object',
  errors: false,
  validate: (range: { min: number; max: number }, value: unknown) =>
    value instanceof Uint8Array && value.length >= range.min && value.length <= range.max,
});

/** Schema of a byte string (MessagePack `bin`), its length in bytes from `min` to `max`. */
export function Bytes(min: number, max: number) {
  return Type.Unsafe<Uint8Array>({ isBytes: { min, max } });
}

/** Schema of one of a closed list of strings. */
export function OneOf<const Values extends readonly string[]>(values: Values) {
  return Type.Unsafe<Values[number]>({ type: 'string', enum: [...values] });
}

/**
 * Schema of a map: values of one sort under names of any text of at most `namesMax` characters.
 * `Type.Record(Type.String(), …)` takes no name with a line break for one of its own, since `.` stands
 * for none, and lets anything stand under it.
 */
export function MapOf<Value extends TSchema>(
  value: Value,
  { namesMax, maxProperties }: { namesMax?: number; maxProperties?: number } = {},
) {
  const name = Type.String({ pattern: `^[\\s\\S]{0,${namesMax ?? ''}}$` });
  return Type.Record(name, value, {
    additionalProperties: false,
    ...(maxProperties !== undefined && { maxProperties }),
  });
}

/** A value that does not fit its schema: which field, and what would have been right. */
export interface Misfit {
  /** Path within the value, e.g. `limits.wallMs`; empty for the value itself. */
  field: string;
  /** One sentence: what is wrong and the cure. */
  message: string;
}

export interface Validator<T> {
  /** True when the value fits. Allocates nothing. */
  fits(value: unknown): value is T;
  /** Why the value does not fit, or undefined when it does. */
  misfit(value: unknown): Misfit | undefined;
}

/** Compiles a schema once, when it is first needed: a part uses few of all that there are. */
export function validator<S extends TSchema>(schema: S): Validator<Static<S>> {
  let compiled: ValidateFunction<Static<S>> | undefined;
  const validate = (value: unknown): value is Static<S> => {
    compiled ??= ajv.compile<Static<S>>(schema);
    return compiled(value);
  };
  return {
    fits: validate,
    misfit: (value) => {
      if (validate(value)) return undefined;
      const error = compiled?.errors?.[0];
      return error ? describe(error) : { field: '', message: 'the value is not valid' };
    },
  };
}

/** Turns an Ajv error into a sentence that names the field and the cure. */
export function describe(error: ErrorObject): Misfit {
  const path = error.instancePath.slice(1).replaceAll('/', '.');
  const at = (name: string) => (path ? `${path}.${name}` : name);
  switch (error.keyword) {
    case 'required': {
      const field = at(String(error.params.missingProperty));
      return { field, message: `\`${field}\` is missing` };
    }
    case 'additionalProperties': {
      const name = String(error.params.additionalProperty).slice(0, 2 * misspeltCharsMax);
      const known = Object.keys((error.parentSchema?.properties as object | undefined) ?? {});
      const nearest = nearestName(name, known);
      const cure = nearest
        ? `did you mean \`${at(nearest)}\`?`
        : known.length > 0
          ? `known are ${known.join(', ')}`
          : 'nothing may stand there';
      return { field: at(name), message: `\`${at(name)}\` is not known; ${cure}` };
    }
    case 'enum': {
      const allowed = (error.params.allowedValues as unknown[]).join(', ');
      return { field: path, message: `\`${path || 'value'}\` must be one of: ${allowed}` };
    }
    case 'isBytes': {
      const range = error.schema as { min: number; max: number };
      const size = `${range.min} to ${range.max}`;
      return {
        field: path,
        message: `\`${path || 'value'}\` must be a byte string of ${size} bytes`,
      };
    }
    default:
      return { field: path, message: `\`${path || 'value'}\` ${error.message ?? 'is not valid'}` };
  }
}

/** Longer names are nobody's misspelling of one of ours, and comparing them costs time. */
const misspeltCharsMax = 64;

/** The known name closest to a misspelt one (edit distance at most a third of it), if any. */
export function nearestName(name: string, known: readonly string[]): string | undefined {
  if (name.length > misspeltCharsMax) return undefined;
  let best: string | undefined;
  let bestDistance = Math.max(1, Math.floor(name.length / 3)) + 1;
  for (const candidate of known) {
    const distance = editDistance(name.toLowerCase(), candidate.toLowerCase());
    if (distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}

/**
 * Edits that turn a into b, two neighbours that changed places counting as one: the optimal string
 * alignment distance (Damerau, 1964). Names are short, so the plain table does.
 */
function editDistance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row++) {
    const current = [row];
    for (let column = 1; column <= b.length; column++) {
      const same = a[row - 1] === b[column - 1];
      let edits = (last[column - 1] ?? 0) + (same ? 0 : 1);
      edits = Math.min(edits, (current[column - 1] ?? 0) + 1, (last[column] ?? 0) + 1);
      if (row > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1]) {
        edits = Math.min(edits, (beforeLast[column - 2] ?? 0) + 1);
      }
      current.push(edits);
    }
    beforeLast = last;
    last = current;
  }
  return last[b.length] ?? 0;
}
