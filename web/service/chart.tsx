import { type Signal, useSignal } from '@preact/signals';
import { useEffect, useRef, useState } from 'preact/hooks';
import { ChartTable } from './chart-table.js';
import { dark } from './dark.js';
import type { Drawing } from './drawing.js';
import { patterns, tileSize } from './pattern.js';
import type { Line, Plot } from './plot.js';

/** A chart, what its lines mean, and the same in words and as a table. */
export function Chart({ plot }: { plot: Plot }) {
  const index = useSignal<number | null>(null);
  const hasData = plot.columns.some((column) => column.some((value) => value !== null));
  return (
    <figure class="chart">
      <figcaption>
        {plot.title}
        {hasData && <TimeShown plot={plot} index={index} />}
      </figcaption>
      {hasData ? <Canvas plot={plot} index={index} /> : <p class="chart-empty">No data yet</p>}
      {hasData && <Legend plot={plot} index={index} />}
      {hasData && <ChartTable plot={plot} />}
    </figure>
  );
}

interface ChartParts {
  plot: Plot;
  /** Of the step that is pointed at, in this chart or another; null: none. */
  index: Signal<number | null>;
}

function Canvas({ plot, index }: ChartParts) {
  const place = useRef<HTMLDivElement>(null);
  const drawing = useRef<Drawing | undefined>(undefined);
  const latest = useRef(plot);
  latest.current = plot;
  const [fault, setFault] = useState('');
  const isDark = dark.value;
  const lines = plot.lines.map(({ label }) => label).join();

  useEffect(() => {
    const element = place.current;
    if (!element) return undefined;
    let ended = false;
    // What draws comes only with the first chart: other pages do without it.
    import('./drawing.js')
      .then(({ Drawing }) => {
        if (ended) return;
        drawing.current = new Drawing(element, latest.current, (at) => {
          index.value = at;
        });
      })
      .catch((error: unknown) => {
        setFault(`The chart can't be drawn (${String(error)}): load the page again.`);
      });
    const observer = new ResizeObserver(([entry]) => {
      if (entry) drawing.current?.resize(entry.contentRect.width);
    });
    observer.observe(element);
    return () => {
      ended = true;
      observer.disconnect();
      drawing.current?.close();
      drawing.current = undefined;
    };
    // Made anew for what can't be changed in one that is there: its lines, and its colours.
  }, [isDark, lines]);

  useEffect(() => drawing.current?.show(plot), [plot]);

  if (fault !== '') return <p class="fault">{fault}</p>;
  return <div ref={place} class="chart-canvas" role="img" aria-label={plot.sentence} />;
}

/** What each line is, and its value where the cursor is: of all charts at the same time. */
function Legend({ plot, index }: ChartParts) {
  const { lines, columns, steps, text } = plot;
  const last = steps.at.length - 1;
  const shown = Math.min(index.value ?? last, last);
  return (
    <ul class="chart-legend">
      {lines.map((line, number) => {
        const value = columns[number]?.[shown] ?? null;
        return (
          <li key={line.label}>
            <Swatch line={line} /> {line.label} <b>{value === null ? 'none' : text(value)}</b>
          </li>
        );
      })}
    </ul>
  );
}

/** Of which step the legend has the values. */
function TimeShown({ plot: { steps }, index }: ChartParts) {
  const at = index.value === null ? undefined : steps.at[index.value];
  return (
    <span class="dim">
      {at === undefined ? 'newest' : new Date(at * 1_000).toLocaleTimeString('en-GB')}
    </span>
  );
}

function Swatch({ line: { colour, dash, fill } }: { line: Line }) {
  const stroke = `var(${colour})`;
  return (
    <svg class="swatch" viewBox="0 0 24 12" width="24" height="12" aria-hidden="true">
      {fill && <rect y="2" width="24" height="10" fill={stroke} fill-opacity="0.18" />}
      {fill &&
        [0, 1, 2].map((tile) => (
          <path
            key={tile}
            d={patterns[fill]}
            transform={`translate(${tile * tileSize} 3)`}
            stroke={stroke}
            stroke-width="1.4"
          />
        ))}
      <path
        d={fill ? 'M0 2H24' : 'M0 6H24'}
        stroke={stroke}
        stroke-width="2"
        stroke-dasharray={dash.join(' ')}
      />
    </svg>
  );
}
