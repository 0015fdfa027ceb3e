import { type Static, Type } from 'typebox';
import { limits } from '../limits.js';
import { type Misfit, OneOf, validator } from '../schema.js';
import { Problem } from './problem.js';
import { scopes } from './scopes.js';
import { readTime } from './time-text.js';

/** A token as the file keeps it: never the token itself. One JSON object a line. */
export const TokenRecord = Type.Object(
  {
    /** For logs and for `scriptd token revoke`; no secret. */
    id: Type.String({ pattern: '^[0-9A-Za-z]{1,32}$' }),
    name: Type.String({ pattern: '^[A-Za-z0-9._@-]{1,64}$' }),
    scopes: Type.Array(OneOf(scopes), { minItems: 1, maxItems: scopes.length, uniqueItems: true }),
    /** The only group that it may submit into, see and end. */
    group: Type.Optional(Type.String({ minLength: 1, maxLength: limits.tagBytesMax })),
    rate: Type.Optional(
      Type.Object(
        {
          perSecond: Type.Number({ minimum: 0.001, maximum: 1_000_000 }),
          burst: Type.Integer({ minimum: 1, maximum: 1_000_000 }),
        },
        { additionalProperties: false },
      ),
    ),
    /** RFC 3339. */
    createdAt: Type.String(),
    /** RFC 3339; from then on it is not valid. */
    expiresAt: Type.Optional(Type.String()),
    /** Of the token, in hexadecimal. */
    sha256: Type.String({ pattern: '^[0-9a-f]{64}$' }),
  },
  { additionalProperties: false },
);
export type TokenRecord = Static<typeof TokenRecord>;

const records = validator(TokenRecord);

/** What is wrong with what should be a record, and the cure; undefined: nothing. */
export function recordFault(value: unknown): Misfit | undefined {
  if (!records.fits(value)) {
    return records.misfit(value) ?? { field: '', message: 'it is not valid' };
  }
  const { group, scopes, createdAt, expiresAt } = value;
  if (group !== undefined && Buffer.byteLength(group) > limits.tagBytesMax) {
    return { field: 'group', message: `\`group\` is longer than ${limits.tagBytesMax} bytes` };
  }
  if (group !== undefined && scopes.includes('admin')) {
    const message =
      'scope admin is for the whole service, and `group` binds the token to one: leave one out';
    return { field: 'group', message };
  }
  return timeFault('createdAt', createdAt) ?? timeFault('expiresAt', expiresAt);
}

function timeFault(field: string, text: string | undefined): Misfit | undefined {
  try {
    if (text !== undefined) readTime(field, text);
    return undefined;
  } catch (error) {
    if (error instanceof Problem) return { field, message: error.detail };
    throw error;
  }
}
