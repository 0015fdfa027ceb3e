/** What a line of arguments means, or why it means nothing. */
export type Parsed = { args: string[] } | { fault: string };

/**
 * Arguments as a shell reads them, without its expansions: blanks separate; `'…'` is taken as it is;
 * in `"…"` a backslash takes `"` and itself as they are; outside, a backslash takes any character.
 *
 * Source: POSIX.1-2024, Shell Command Language, 2.2 Quoting
 */
export function parseArguments(line: string): Parsed {
  const args: string[] = [];
  let word: string | undefined;
  let quote: '"' | "'" | undefined;
  for (let at = 0; at < line.length; at += 1) {
    const character = line.charAt(at);
    if (quote === undefined && /\s/.test(character)) {
      if (word !== undefined) args.push(word);
      word = undefined;
      continue;
    }
    word ??= '';
    if (quote === undefined && (character === '"' || character === "'")) quote = character;
    else if (character === quote) quote = undefined;
    else if (character === '\\' && takesNext(line.charAt(at + 1), quote)) {
      at += 1;
      word += line.charAt(at);
    } else word += character;
  }
  if (quote !== undefined) return { fault: `A quotation mark is open: close it with ${quote}` };
  if (word !== undefined) args.push(word);
  return { args };
}

function takesNext(next: string, quote: string | undefined): boolean {
  if (next === '' || quote === "'") return false;
  return quote === undefined || next === '"' || next === '\\';
}

/** The line that means these. */
export function formatArguments(args: readonly string[]): string {
  return args.map(quoted).join(' ');
}

function quoted(arg: string): string {
  return /^[\w@%+=:,./-]+$/.test(arg) ? arg : `'${arg.replaceAll("'", `'\\''`)}'`;
}
