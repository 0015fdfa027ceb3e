/**
 * Records as arrays of their fields, in an order that is written down: names are not stored with
 * each of a million records, and reading one is quicker than reading a map. What is absent is null,
 * and left out at the end. So a field may be added at the end of its list, and none may move or go
 * without a new version of the schema.
 */
export interface Tuple {
  readonly fields: Readonly<Record<string, Tuple | undefined>>;
  pack(value: object): unknown[];
  unpack(values: readonly unknown[]): object;
}

/** @param fields in the order in which they are stored; with a tuple, what is a record itself */
export function tuple(fields: Readonly<Record<string, Tuple | undefined>>): Tuple {
  const names = Object.keys(fields);
  const codecs = Object.values(fields);
  return {
    fields,
    pack(value) {
      const values: unknown[] = [];
      for (let index = 0; index < names.length; index++) {
        const field = (value as Record<string, unknown>)[names[index] as string];
        if (field === undefined) continue;
        while (values.length < index) values.push(null);
        const codec = codecs[index];
        values.push(codec === undefined ? field : codec.pack(field as object));
      }
      return values;
    },
    unpack(values) {
      const value: Record<string, unknown> = {};
      const end = Math.min(values.length, names.length);
      for (let index = 0; index < end; index++) {
        const field = values[index];
        if (field === null) continue;
        const codec = codecs[index];
        value[names[index] as string] =
          codec === undefined ? field : codec.unpack(field as unknown[]);
      }
      return value;
    },
  };
}

/** A list of such records. */
export function tuples(element: Tuple): Tuple {
  return {
    fields: element.fields,
    pack: (values) => (values as object[]).map((value) => element.pack(value)),
    unpack: (values) => values.map((value) => element.unpack(value as unknown[])),
  };
}
