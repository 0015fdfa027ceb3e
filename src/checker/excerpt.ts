import { limits } from '../limits.js';

/** The beginning of a text, well-formed, with … where more came. */
export function excerpt(text: string, charactersMax: number = limits.formatCharactersMax): string {
  // A pair that the cut, or a check with half a pair in it, has torn cannot be sent as UTF-8.
  const wellFormed = (part: string) => Buffer.from(part).toString();
  if (text.length <= charactersMax) return wellFormed(text);
  const head = text.slice(0, charactersMax - 1);
  return `${wellFormed(head.replace(/[\ud800-\udbff]$/, ''))}…`;
}

/** What came, for a reader: quoted, so that blanks and line ends show. */
export function shown(text: string, charactersMax = 200): string {
  return text === '' ? 'nothing' : excerpt(JSON.stringify(excerpt(text, charactersMax)));
}
