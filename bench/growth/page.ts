import { show, type Unit } from '../plot/quantity.js';
import { median } from '../statistics.js';
import {
  type Growth,
  type Measured,
  type Panel,
  type Point,
  pointsOf,
  type Series,
} from './growth.js';
import { steepest } from './steepness.js';

/** A column of a plot's table. */
interface Column {
  heading: string;
  panel: Panel;
  series: Series;
}

/** What was measured of a plot as a table in Markdown, with the steepest step of each cost as its last row. */
export function table(growth: Growth, measured: Measured): string {
  const columns = growth.panels.flatMap((panel) =>
    panel.series.map((series) => ({ panel, series, heading: headingOf(panel, series) })),
  );
  const { work } = growth;
  const works = [
    ...new Set(columns.flatMap(({ series }) => pointsOf(measured, series).map(({ work }) => work))),
  ].sort((a, b) => a - b);
  const rows = works.map((amount) => {
    const cells = columns.map(({ series, panel }) =>
      cell(
        pointsOf(measured, series).find(({ work }) => work === amount),
        panel.unit,
      ),
    );
    return [show(amount, work.unit), ...cells];
  });
  const head = [work.label, ...columns.map(({ heading }) => heading)];
  const ruler = head.map(() => '---');
  const steps = ['steepest', ...columns.map((column) => stepCell(growth, column, measured))];
  return [head, ruler, ...rows, steps].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

function headingOf({ short, series }: Panel, { label }: Series): string {
  return series.length > 1 ? `${short}, ${label}` : short;
}

/** The median, and from where to where the rounds went. */
function cell(point: Point | undefined, unit: Unit): string {
  if (!point) return '';
  const { values } = point;
  const [least, most] = [show(Math.min(...values), unit), show(Math.max(...values), unit)];
  const middle = show(median(values), unit);
  return values.length === 1 || least === most ? middle : `${middle} (${least} to ${most})`;
}

/** Where the cost grows fastest: how much more, for how much more work. */
function stepCell({ work }: Growth, { panel, series }: Column, measured: Measured): string {
  const step = panel.kind === 'cost' ? steepest(pointsOf(measured, series)) : undefined;
  if (!step) return '';
  const [from, to] = [show(step.from, work.unit), show(step.to, work.unit)];
  const times = Number((step.to / step.from).toPrecision(2));
  return `×${step.ratio.toFixed(2)} for ×${times}, ${from} to ${to}`;
}

/**
 * Puts text between `<!-- NAME -->` and `<!-- /NAME -->` of a page. Throws where it has no such place.
 */
export function replaceBlock(page: string, name: string, content: string): string {
  const [begin, end] = [`<!-- ${name} -->`, `<!-- /${name} -->`];
  const [from, to] = [page.indexOf(begin), page.indexOf(end)];
  if (from < 0 || to < from)
    throw new Error(`docs/GROWTH.md has no ${begin} with a ${end} after it`);
  return `${page.slice(0, from + begin.length)}\n\n${content}\n\n${page.slice(to)}`;
}
