import { show } from '../plot/quantity.js';
import { logScale, type Scale, wholeDecades } from '../plot/scales.js';
import { element, type Ink, line, type Markup, pixels, rectangle, svg, text } from '../plot/svg.js';
import { median } from '../statistics.js';
import { type Growth, type Measured, type Panel, type Point, pointsOf } from './growth.js';

/** Pixels. */
const width = 880;
const left = 72;
const right = 20;
/** Of the first panel where there is one line; a legend of lines takes a row more. */
const top = 84;
const legendRow = 20;
const panelHeight = 190;
const panelGap = 78;
const bottom = 52;
const dotRadius = 3.5;
const capWidth = 8;
/** Room beside the first and the last dots for their figures. */
const figureWidth = 62;
const figureHeight = 14;

/** Of the lines of a panel, in their order. */
const lineInks: readonly Ink[] = ['first', 'second'];

function inkOf(index: number): Ink {
  return lineInks[index] ?? 'text';
}

interface Axes {
  x: Scale;
  y: Scale;
  /** Pixels of the panel's upper edge. */
  above: number;
}

/**
 * An SVG of one panel below the other, both axes logarithmic: a straight line with the slope of the
 * diagonals is cost in proportion to the work. A dot is the median of the rounds, its bar reaches from
 * the least to the most.
 */
export function chart(growth: Growth, measured: Measured): string {
  const { panels, title } = growth;
  const several = panels.filter(({ series }) => series.length > 1);
  const labels = [...new Set(several.flatMap(({ series }) => series.map(({ label }) => label)))];
  const first = labels.length > 0 ? top + legendRow : top;
  const height = first + panels.length * (panelHeight + panelGap) - panelGap + bottom;
  const work = panels.flatMap(({ series }) => series.flatMap((one) => worksOf(measured, one)));
  const positive = work.filter((value) => value > 0);
  const x = logScale({
    ...{ least: Math.min(...positive), most: Math.max(...positive) },
    ...{ from: left + figureWidth, to: width - right - figureWidth, zero: work.includes(0) },
  });
  return svg({ width, height }, title, [
    text(left, 26, title, { ink: 'text', size: 15 }),
    ...legend(labels, first),
    ...panels.flatMap((panel, index) => {
      const above = first + index * (panelHeight + panelGap);
      return drawPanel(growth, panel, { x, above, measured });
    }),
  ]);
}

function worksOf(measured: Measured, series: { key: string; label: string }): number[] {
  return pointsOf(measured, series).map(({ work }) => work);
}

/** One row for the lines, where there are several, and one for what they are compared with. */
function legend(labels: readonly string[], below: number): Markup[] {
  const y = below - 38;
  const item = (x: number, y: number, label: string, ink: Ink, dash = '') => [
    line(`M${x},${y}h22`, ink, { width: 2, dash }),
    text(x + 28, y + 4, label),
  ];
  const half = (width - left - right) / 2;
  return [
    ...labels.flatMap((label, index) =>
      item(left + index * half, y - legendRow, label, inkOf(index)),
    ),
    ...item(left, y, 'in proportion to the work, from the first point on', 'muted', '5 4'),
    ...item(left + half, y, 'in proportion to the work, from anywhere', 'guide'),
  ];
}

function drawPanel(
  { work }: Growth,
  panel: Panel,
  given: { x: Scale; above: number; measured: Measured },
): Markup[] {
  const { x, above, measured } = given;
  const lines = panel.series.map((series, index) => ({
    ink: inkOf(index),
    points: pointsOf(measured, series),
  }));
  const ends = wholeDecades(lines.flatMap(({ points }) => points.flatMap(({ values }) => values)));
  const y = logScale({ ...ends, from: above + panelHeight, to: above });
  const axes = { x, y, above };
  const clip = `panel-${Math.round(above)}`;
  const box = { x: left, y: above, width: width - left - right, height: panelHeight };
  return [
    text(left, above - 10, panel.title, { ink: 'text', size: 12 }),
    element('clipPath', { id: clip }, rectangle(box, 'back')),
    element('g', { 'clip-path': `url(#${clip})` }, ...diagonals(axes)),
    ...grid(axes, panel, work.unit),
    text((left + width - right) / 2, above + panelHeight + 36, work.label, { anchor: 'middle' }),
    element(
      'g',
      { 'clip-path': `url(#${clip})` },
      ...lines.map(({ points }) => proportion(axes, points)),
    ),
    ...lines.flatMap(({ points, ink }) => drawLine(axes, panel, points, ink, work.unit)),
    ...figures(axes, panel, lines, 'first'),
    ...figures(axes, panel, lines, 'last'),
  ];
}

function grid({ x, y, above }: Axes, panel: Panel, workUnit: Growth['work']['unit']): Markup[] {
  const floor = above + panelHeight;
  const rows = y.ticks.flatMap((tick) => [
    line(`M${left},${pixels(y.at(tick))}H${width - right}`, 'grid'),
    text(left - 10, y.at(tick) + 4, show(tick, panel.unit), { anchor: 'end' }),
  ]);
  const columns = x.ticks.flatMap((tick) => [
    line(`M${pixels(x.at(tick))},${floor}v5`, 'muted'),
    text(x.at(tick), floor + 19, show(tick, workUnit), { anchor: 'middle' }),
  ]);
  return [...rows, ...columns];
}

/** Where a cost in proportion would go, whatever it starts from: a line for each power of ten. */
function diagonals({ x, y }: Axes): Markup[] {
  const [least = 1, most = least] = [x.ticks.find((tick) => tick > 0), x.ticks.at(-1)];
  const [lowest = 1, highest = lowest] = [y.ticks[0], y.ticks.at(-1)];
  const drawn: Markup[] = [];
  for (let cost = lowest; (cost * least) / most < highest; cost *= 10) {
    drawn.push(straight({ x, y }, { work: most, cost }, least, 'guide'));
  }
  return drawn;
}

/** The dashed line: what the first point's cost would become in proportion. */
function proportion({ x, y }: Axes, points: readonly Point[]): Markup {
  const first = points.find(({ work }) => work > 0);
  const last = points.at(-1);
  if (!first || !last) return element('g', {});
  const cost = median(first.values) * (last.work / first.work);
  return straight({ x, y }, { work: last.work, cost }, first.work, 'muted', '5 4');
}

/** cost in proportion to work, through the point `end`, from work `start` on. */
function straight(
  { x, y }: Omit<Axes, 'above'>,
  end: { work: number; cost: number },
  start: number,
  ink: Ink,
  dash = '',
): Markup {
  const place = (work: number) =>
    `${pixels(x.at(work))},${pixels(y.at((end.cost * work) / end.work))}`;
  return line(`M${place(start)}L${place(end.work)}`, ink, { dash });
}

function drawLine(
  { x, y }: Axes,
  { unit }: Panel,
  points: readonly Point[],
  ink: Ink,
  workUnit: Growth['work']['unit'],
): Markup[] {
  const places = points.map(({ work, values }) => ({
    ...{ x: x.at(work), work, middle: median(values) },
    ...{ least: Math.min(...values), most: Math.max(...values) },
  }));
  const path = places.map(({ x, middle }) => `${pixels(x)},${pixels(y.at(middle))}`).join('L');
  const drawn = [line(`M${path}`, ink, { width: 2 })];
  for (const { x, work, least, middle, most } of places) {
    const [low, high] = [pixels(y.at(least)), pixels(y.at(most))];
    const cap = `h${capWidth}`;
    const start = pixels(x - capWidth / 2);
    drawn.push(
      line(`M${start},${low}${cap}M${start},${high}${cap}M${pixels(x)},${low}V${high}`, ink),
    );
    const said = `${show(work, workUnit)}: ${show(middle, unit)} (${show(least, unit)} to ${show(most, unit)})`;
    const place = { cx: pixels(x), cy: pixels(y.at(middle)), r: dotRadius };
    drawn.push(element('circle', { ...place, class: ink }, element('title', {}, said)));
  }
  return drawn;
}

/** The figures of the first or the last dots, beside them; where they would overlap, apart. */
function figures(
  { x, y }: Axes,
  { unit }: Panel,
  lines: readonly { points: readonly Point[]; ink: Ink }[],
  which: 'first' | 'last',
): Markup[] {
  const written = lines
    .flatMap(({ points, ink }) => {
      const point = which === 'first' ? points[0] : points.at(-1);
      return point ? [{ ink, work: point.work, middle: median(point.values) }] : [];
    })
    .sort((a, b) => a.middle - b.middle);
  let floor = Number.POSITIVE_INFINITY;
  return written.map(({ ink, work, middle }) => {
    floor = Math.min(y.at(middle) + 4, floor - figureHeight);
    const [shift, anchor] = which === 'first' ? ([-10, 'end'] as const) : ([10, 'start'] as const);
    return text(x.at(work) + shift, floor, show(middle, unit), { ink, anchor });
  });
}
