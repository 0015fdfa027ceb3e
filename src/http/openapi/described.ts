import { type TObject, type TProperties, Type } from 'typebox';

/** The same object, a sentence for each of its members: Markdown, with the unit. */
export function described<Properties extends TProperties>(
  schema: TObject<Properties>,
  texts: Readonly<Record<keyof Properties & string, string>>,
): TObject<Properties> {
  const properties = Object.entries(schema.properties).map(([name, member]) => [
    name,
    // A copy by hand would lose what typebox knows of it: that it is optional.
    Object.defineProperties(
      {},
      {
        ...Object.getOwnPropertyDescriptors(member),
        description: { value: texts[name], enumerable: true },
      },
    ),
  ]);
  return Type.Object(Object.fromEntries(properties) as Properties, closed);
}

/** Nothing but what is named may stand there. */
export const closed = { additionalProperties: false } as const;
