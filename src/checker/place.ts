/** Where a character stands in a text: `line 3, column 7`, both from 1, in characters. */
export function placeOf(text: string, index: number): string {
  const before = text.slice(0, index);
  const lineStart = before.lastIndexOf('\n') + 1;
  let line = 1;
  for (let at = before.indexOf('\n'); at >= 0; at = before.indexOf('\n', at + 1)) line++;
  return `line ${line}, column ${index - lineStart + 1}`;
}

/** The line that a character stands in, from that character on. */
export function restOfLine(text: string, index: number): string {
  const end = text.indexOf('\n', index);
  return text.slice(index, end < 0 ? undefined : end);
}
