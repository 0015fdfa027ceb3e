import { type TSchema, Type } from 'typebox';

/** The schema that stands under this name in schemas.ts; a test follows each of them. */
export function Reference(name: string): TSchema {
  return Type.Unsafe({ $ref: `#/components/schemas/${name}` });
}
