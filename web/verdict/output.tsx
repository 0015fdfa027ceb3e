import './output.css';
import type { RefObject } from 'preact';
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { ask } from '../api/http.js';
import { bytes, count } from '../ui/format.js';
import { attempt, notify } from '../ui/notices.js';
import { copyText } from './clipboard.js';
import { download } from './download.js';
import { OutputMatches } from './output-matches.js';
import { OutputRow } from './output-row.js';
import { OutputRows } from './output-rows.js';
import { OutputSearch } from './output-search.js';
import type { OutputText } from './output-text.js';
import { useViewport } from './output-viewport.js';

export interface OutputProps {
  text: OutputText;
  /** e.g. `stdout`. */
  label: string;
  /** Size of what the text stands for; without it, characters are counted. */
  byteCount?: number;
  /** Where the service has the bytes as they are; without it, the text is saved. */
  source?: string | undefined;
  /** Said while there is none. */
  empty?: string;
  /** Shows the end, whatever there is already. */
  isLive?: boolean;
}

/** Columns of a row where lines are not wrapped: what is longer goes on in the next all the same. */
const columnsMax = 2_000;

/** Output of a script, of any size: only what is seen of it is drawn. */
export function Output(props: OutputProps) {
  const { text, label, byteCount, source, empty = 'Nothing.', isLive = false } = props;
  // Drawn again when there is more.
  void text.version.value;
  const scroller = useRef<HTMLDivElement>(null);
  const [isWrapped, setWrapped] = useState(true);
  const fitting = useColumns(scroller);
  const columns = isWrapped ? fitting : columnsMax;
  const rows = useMemo(() => new OutputRows(text, columns), [text, columns]);
  rows.update();
  // What is there already is read from its beginning; what is to come, as it comes.
  const begins = isLive || rows.count === 0 ? 'at its end' : 'at its beginning';
  const viewport = useViewport(scroller, rows.count, begins);

  const [sought, setSought] = useState<string | undefined>();
  const [index, setIndex] = useState(0);
  const matches = useMemo(
    () => (sought ? new OutputMatches(text, sought) : undefined),
    [text, sought],
  );
  matches?.update();
  const found = matches?.found ?? [];
  const current = found[index];
  const show = (at: number, all = found) => {
    const match = all[at];
    setIndex(at);
    if (match) viewport.toRow(rows.rowOf(match.line, match.from));
  };
  const seek = (next: string) => {
    setSought(next);
    setIndex(0);
    if (next === '') return;
    const fresh = new OutputMatches(text, next);
    fresh.update();
    show(0, fresh.found);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key !== 'f' || !(event.ctrlKey || event.metaKey) || event.altKey) return;
    event.preventDefault();
    if (sought === undefined) setSought('');
  };

  const { lineCount } = text;
  const drawn = [];
  for (let at = viewport.first; at < viewport.last; at += 1) {
    const row = rows.at(at);
    const marked = matches?.within(row.line, row.from, row.to) ?? [];
    const props = { row, line: text.line(row.line), matches: marked, current };
    drawn.push(<OutputRow key={at} {...props} />);
  }
  const size = byteCount === undefined ? `${count(text.length)} characters` : bytes(byteCount);
  const isEmpty = lineCount === 0;
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: it hears a shortcut, and has the same as a button
    <div class="output card" onKeyDown={onKeyDown}>
      <div class="output-head">
        <h3>{label}</h3>
        {!isEmpty && (
          <span class="hint">
            {count(lineCount)} {lineCount === 1 ? 'line' : 'lines'} · {size}
          </span>
        )}
        <div class="output-buttons">
          <button
            type="button"
            class="small plain"
            aria-pressed={sought !== undefined}
            disabled={isEmpty}
            onClick={() => setSought(sought === undefined ? '' : undefined)}
          >
            Find
          </button>
          <button
            type="button"
            class="small plain"
            aria-pressed={isWrapped}
            onClick={() => setWrapped(!isWrapped)}
          >
            Wrap
          </button>
          <button
            type="button"
            class="small plain"
            disabled={isEmpty}
            onClick={() => void copy(text, label)}
          >
            Copy
          </button>
          <button
            type="button"
            class="small plain"
            disabled={isEmpty}
            onClick={() => void save(text, label, source)}
          >
            Download
          </button>
        </div>
      </div>
      {sought !== undefined && (
        <OutputSearch
          label={label}
          sought={sought}
          found={found.length}
          index={index}
          onSeek={seek}
          onStep={(by) => found.length > 0 && show((index + by + found.length) % found.length)}
          onClose={() => setSought(undefined)}
        />
      )}
      {isEmpty && <p class="output-empty hint">{empty}</p>}
      <section
        ref={scroller}
        class="output-scroller"
        hidden={isEmpty}
        aria-label={`Text of ${label}`}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: the keyboard scrolls it
        tabIndex={0}
      >
        <span class="output-ruler" aria-hidden="true">
          {'0'.repeat(rulerColumns)}
        </span>
        <div
          class="output-space"
          style={{ height: `${viewport.heightPx}px`, minWidth: `${rows.longest}ch` }}
        >
          <div class="output-rows" style={{ transform: `translateY(${viewport.topPx}px)` }}>
            {drawn}
          </div>
        </div>
      </section>
      {viewport.isLonger && !viewport.isFollowing && (
        <button type="button" class="small output-end" onClick={viewport.toEnd}>
          To the end <span aria-hidden="true">↓</span>
        </button>
      )}
    </div>
  );
}

const rulerColumns = 100;

/** How many characters fit into a row. */
function useColumns(scroller: RefObject<HTMLElement | null>): number {
  const [columns, setColumns] = useState(80);
  useEffect(() => {
    const element = scroller.current;
    if (!element) return undefined;
    const look = () => {
      const ruler = element.querySelector('.output-ruler');
      const columnPx = (ruler?.getBoundingClientRect().width ?? 0) / rulerColumns;
      const style = getComputedStyle(element);
      const paddingPx =
        Number.parseFloat(style.paddingLeft) + Number.parseFloat(style.paddingRight);
      const fitting = Math.floor((element.clientWidth - paddingPx) / columnPx);
      if (Number.isFinite(fitting)) setColumns(Math.max(2, fitting));
    };
    const sizes = new ResizeObserver(look);
    sizes.observe(element);
    return () => sizes.disconnect();
  }, [scroller]);
  return columns;
}

async function copy(text: OutputText, label: string): Promise<void> {
  const done = await copyText(text.whole());
  if (done) notify('good', `Copied ${label}.`);
  else notify('bad', 'The browser does not let this page copy: download it instead.');
}

async function save(text: OutputText, label: string, source: string | undefined): Promise<void> {
  await attempt(async () => {
    const content = source ? await (await ask(source)).blob() : new Blob([text.whole()]);
    download(`${label}.txt`, content);
  });
}
