/**
 * Where a text stops being JSON: index of the first character that cannot stand there. The engine's
 * own message has it in some versions and some cases only.
 *
 * Source: RFC 8259
 */
export function jsonFaultIndex(text: string): number {
  /** Of each array or object that is open: what closes it. */
  const open: string[] = [];
  /** What may come: a value, a name, what follows a value, or (also) the end of what just began. */
  let wanted: 'value' | 'valueOrEnd' | 'name' | 'nameOrEnd' | 'colon' | 'after' = 'value';
  let index = 0;
  const match = (pattern: RegExp): boolean => {
    pattern.lastIndex = index;
    if (!pattern.test(text)) return false;
    index = pattern.lastIndex;
    return true;
  };
  for (;;) {
    match(blanks);
    const character = text[index];
    if (wanted === 'after') {
      if (open.length === 0 || character === undefined) return index;
      if (character === open.at(-1)) open.pop();
      else if (character === ',') wanted = open.at(-1) === '}' ? 'name' : 'value';
      else return index;
      index++;
    } else if (wanted === 'colon') {
      if (character !== ':') return index;
      index++;
      wanted = 'value';
    } else if (character === open.at(-1) && wanted.endsWith('OrEnd')) {
      open.pop();
      index++;
      wanted = 'after';
    } else if (wanted.startsWith('name')) {
      if (!match(string)) return index;
      wanted = 'colon';
    } else if (character === '[' || character === '{') {
      open.push(character === '[' ? ']' : '}');
      index++;
      wanted = character === '[' ? 'valueOrEnd' : 'nameOrEnd';
    } else if (match(string) || match(scalar)) {
      wanted = 'after';
    } else {
      return index;
    }
  }
}

const blanks = /[ \t\n\r]*/y;
// biome-ignore lint/suspicious/noControlCharactersInRegex: JSON forbids them in strings
const string = /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y;
const scalar = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/y;
