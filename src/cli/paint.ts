import type { WriteStream } from 'node:tty';

const codes = { good: 32, bad: 31, aside: 33, quiet: 2, strong: 1 } as const;
export type Tone = keyof typeof codes;

/** Colours a text, on a terminal only and not where NO_COLOR is set (https://no-color.org). */
export type Paint = (tone: Tone, text: string) => string;

export function painter(stream: Pick<WriteStream, 'isTTY'>, env = process.env): Paint {
  const colours = stream.isTTY && !env.NO_COLOR && env.TERM !== 'dumb';
  return (tone, text) => (colours ? `\x1b[${codes[tone]}m${text}\x1b[0m` : text);
}

/** Columns of everything that is printed for people. */
export const columns = 80;

/** Breaks a text between words into lines of at most `width` columns; a longer word stays whole. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line];
}
