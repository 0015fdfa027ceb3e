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
      for (const [index, name] of names.entries()) {
        const field = (value as Record<string, unknown>)[name];
        if (field === undefined) continue;
        while (values.length < index) values.push(null);
        values.push(codecs[index]?.pack(field as object) ?? field);
      }
      return values;
    },
    unpack(values) {
      const value: Record<string, unknown> = {};
      for (const [index, field] of values.entries()) {
        const name = names[index];
        if (field === null || name === undefined) continue;
        value[name] = codecs[index]?.unpack(field as unknown[]) ?? field;
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
