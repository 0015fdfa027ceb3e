import { useState } from 'preact/hooks';
import type { Plot } from './plot.js';

/** What a chart shows, in words and as numbers: the newest first. */
export function ChartTable({ plot }: { plot: Plot }) {
  const [isOpen, setOpen] = useState(false);
  return (
    <details class="chart-table" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>In words and numbers</summary>
      <p>{plot.sentence}</p>
      {isOpen && <Rows plot={plot} />}
    </details>
  );
}

function Rows({ plot: { title, lines, columns, steps, text } }: { plot: Plot }) {
  const rows = steps.at.map((at, index) => ({ at, index })).reverse();
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must do so by the keyboard too
    <section class="scrolled" tabIndex={0} aria-label={`${title}, step by step`}>
      <table>
        <thead>
          <tr>
            <th scope="col">Until</th>
            {lines.map(({ label }) => (
              <th key={label} scope="col" class="number">
                {label}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map(({ at, index }) => (
            <tr key={at}>
              <th scope="row">{new Date(at * 1_000).toLocaleTimeString('en-GB')}</th>
              {lines.map(({ label }, number) => {
                const value = columns[number]?.[index] ?? null;
                return (
                  <td key={label} class="number">
                    {value === null ? 'none' : text(value)}
                  </td>
                );
              })}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
