import { useState } from 'preact/hooks';
import { bytes, count } from '../ui/format.js';
import { visible } from '../verdict/visible-text.js';
import { copy } from './copy-id.js';

/** Shown before somebody asks for all. */
const shown = { lines: 200, characters: 32_000 };

/**
 * A text with the numbers of its lines. The numbers stand beside it and not in it, so that what is
 * marked and copied is the text.
 */
export function Listing({ text, label }: { text: string; label: string }) {
  const [isWhole, setWhole] = useState(false);
  const all = text.endsWith('\n') ? text.slice(0, -1) : text;
  const part = isWhole ? all : beginning(all);
  const lines = linesOf(part);
  return (
    <div class="listing">
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keys */}
      <section class="scrolled" aria-label={label} tabIndex={0}>
        <pre class="numbers" aria-hidden="true">
          {Array.from({ length: lines }, (_, index) => index + 1).join('\n')}
        </pre>
        <pre class="lines">{visible(part.replaceAll('\r\n', '\n'))}</pre>
      </section>
      <div class="pages">
        {part.length < all.length && (
          <button type="button" class="small" onClick={() => setWhole(true)}>
            Show all {count(linesOf(all))} lines ({bytes(all.length)})
          </button>
        )}
        <button type="button" class="small" onClick={() => void copy(text, 'It is copied.')}>
          Copy
        </button>
      </div>
    </div>
  );
}

function linesOf(text: string): number {
  let lines = 1;
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) lines += 1;
  return lines;
}

function beginning(text: string): string {
  const some = text.slice(0, shown.characters);
  return some.split('\n', shown.lines).join('\n');
}
