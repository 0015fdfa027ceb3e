import './output.css';
import { useMemo, useRef, useState } from 'preact/hooks';
import { rulerColumns, useColumns } from './output-columns.js';
import { useFinding } from './output-finding.js';
import { OutputHead } from './output-head.js';
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
  /** More comes only when somebody asks for it, to read on: it is not followed. */
  isPaged?: boolean;
}

/** Columns of a row where lines are not wrapped: what is longer goes on in the next all the same. */
const columnsMax = 2_000;

/** Output of a script, of any size: only what is seen of it is drawn. */
export function Output(props: OutputProps) {
  const {
    text,
    label,
    byteCount,
    source,
    empty = 'Nothing.',
    isLive = false,
    isPaged = false,
  } = props;
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
  const viewport = useViewport(scroller, rows.count, begins, !isPaged);
  const finding = useFinding(text, ({ line, from }) => viewport.toRow(rows.rowOf(line, from)));
  const { sought, matches, found, index, current } = finding;

  const drawn = [];
  for (let at = viewport.first; at < viewport.last; at += 1) {
    const row = rows.at(at);
    const marked = matches?.within(row.line, row.from, row.to) ?? [];
    const line = text.line(row.line);
    drawn.push(<OutputRow key={at} row={row} line={line} matches={marked} current={current} />);
  }
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key !== 'f' || !(event.ctrlKey || event.metaKey) || event.altKey) return;
    event.preventDefault();
    finding.open();
  };
  const isEmpty = text.lineCount === 0;
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: it hears a shortcut, and has the same as a button
    <div class="output card" onKeyDown={onKeyDown}>
      <OutputHead
        {...{ text, label, byteCount, source, isWrapped }}
        isFinding={sought !== undefined}
        onFind={sought === undefined ? finding.open : finding.close}
        onWrap={() => setWrapped(!isWrapped)}
      />
      {sought !== undefined && (
        <OutputSearch
          {...{ label, sought, index }}
          found={found.length}
          onSeek={finding.seek}
          onStep={finding.step}
          onClose={finding.close}
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
