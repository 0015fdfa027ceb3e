import './visible-text.css';
import type { ComponentChildren } from 'preact';

/**
 * Characters that draw nothing of their own but may disturb what is around them: controls (but for
 * tab and newline), marks and overrides of direction, invisible ones, tags.
 *
 * Source: Unicode Standard Annex #9, and Technical Report #36
 */
const controls =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\u{e0000}-\u{e007f}]+/gu;

/** More of them in one text are shown as such, without marking each. */
const markedMax = 100;

/** Text of anybody, with its control characters to be seen. */
export function VisibleText({ text }: { text: string }) {
  return <bdi class="visible">{visible(text)}</bdi>;
}

/** The same, to be put in where it stands by itself already. */
export function visible(text: string): ComponentChildren {
  if (text.search(controls) < 0) return text;
  const found = [...text.matchAll(controls)];
  if (found.length > markedMax) return text.replace(controls, pictures);
  const pieces: ComponentChildren[] = [];
  let at = 0;
  for (const { index, 0: run } of found) {
    pieces.push(text.slice(at, index), <span class="control">{pictures(run)}</span>);
    at = index + run.length;
  }
  return [...pieces, text.slice(at)];
}

function pictures(run: string): string {
  return Array.from(run, picture).join('');
}

function picture(character: string): string {
  const point = character.codePointAt(0) ?? 0;
  if (point < 0x20) return String.fromCharCode(0x2400 + point);
  if (point === 0x7f) return '\u2421';
  return `U+${point.toString(16).toUpperCase().padStart(4, '0')}`;
}
