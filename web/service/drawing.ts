import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import { patterns, tileSize } from './pattern.js';
import type { Line, Plot } from './plot.js';

/** Height of a chart. CSS pixels, as all lengths here. */
const height = 150;
const valueAxisWidth = 58;
const fillAlpha = 0.18;
const font = '12px system-ui, "Segoe UI", Roboto, sans-serif';

/** Steps of an axis of whole numbers. */
const wholeSteps = Array.from({ length: 12 }, (_, power) => 10 ** power).flatMap((base) => [
  base,
  2 * base,
  5 * base,
]);

/** A chart on its canvas. It is made anew where its lines or the colours of the page change. */
export class Drawing {
  readonly #chart: uPlot;
  #plot: Plot;

  /**
   * @param place where it is put, and whose colours it takes
   * @param onCursor index of the step that is pointed at, in this chart or another; null: none
   */
  constructor(place: HTMLElement, plot: Plot, onCursor: (index: number | null) => void) {
    this.#plot = plot;
    const options = this.#options(place, plot, onCursor);
    this.#chart = new uPlot(options, dataOf(plot), place);
  }

  show(plot: Plot): void {
    this.#plot = plot;
    this.#chart.setData(dataOf(plot));
  }

  resize(width: number): void {
    if (width > 0 && Math.floor(width) !== this.#chart.width) {
      this.#chart.setSize({ width: Math.floor(width), height });
    }
  }

  close(): void {
    this.#chart.destroy();
  }

  #options(
    place: HTMLElement,
    plot: Plot,
    onCursor: (index: number | null) => void,
  ): uPlot.Options {
    const colour = colours(place);
    const axis = {
      stroke: colour('--dim'),
      font,
      grid: { stroke: colour('--line'), width: 1 },
      ticks: { show: false },
    };
    return {
      width: Math.floor(place.clientWidth) || 1,
      height,
      padding: [8, 18, 0, 0],
      legend: { show: false },
      cursor: {
        sync: { key: 'service', setSeries: false },
        drag: { x: false, y: false, setScale: false },
        y: false,
        points: { size: 6 },
      },
      scales: {
        x: { time: true, range: () => [this.#plot.steps.from, this.#plot.steps.to] },
        y: { range: (_chart, _min, most) => [0, Math.max(this.#plot.topMin, (most ?? 0) * 1.08)] },
      },
      axes: [
        { ...axis, size: 26, space: 64, values: (_chart, marks) => marks.map(timeOfDay) },
        {
          ...axis,
          size: valueAxisWidth,
          space: 28,
          values: (_chart, marks) => marks.map((mark) => plot.text(mark)),
          ...(plot.whole && { incrs: wholeSteps }),
        },
      ],
      series: [{}, ...plot.lines.map((line) => seriesOf(line, colour, plot.stacked ? 1 : 1.6))],
      bands: plot.stacked
        ? plot.lines.slice(1).map((_line, index) => ({ series: [index + 2, index + 1] }))
        : [],
      hooks: { setCursor: [(chart) => onCursor(chart.cursor.idx ?? null)] },
    };
  }
}

function seriesOf(line: Line, colour: (name: string) => string, width: number): uPlot.Series {
  const stroke = colour(line.colour);
  return {
    label: line.label,
    stroke,
    width,
    dash: [...line.dash],
    // A step between gaps has no line that leads to it.
    points: { show: true, size: 4, fill: stroke, filter: (chart, series) => lone(chart, series) },
    spanGaps: false,
    ...(line.fill && { fill: (chart: uPlot) => fillOf(chart, line, stroke) }),
  };
}

/** Indices of values that have none beside them. */
function lone({ data }: uPlot, series: number): number[] {
  const column = data[series] ?? [];
  const isThere = (index: number) => typeof column[index] === 'number';
  return Array.from(column.keys()).filter(
    (index) => isThere(index) && !isThere(index - 1) && !isThere(index + 1),
  );
}

/** Times, then a column for each line; of stacked ones the sum up to there. */
function dataOf({ steps, columns, stacked }: Plot): uPlot.AlignedData {
  if (!stacked) return [steps.at, ...columns.map((column) => [...column])];
  const sums = steps.at.map(() => 0);
  const stack = columns.map((column) =>
    column.map((value, index) => {
      if (value === null) return null;
      const sum = (sums[index] ?? 0) + value;
      sums[index] = sum;
      return sum;
    }),
  );
  return [steps.at, ...stack];
}

/** The soft colour, with the lines of its pattern on it. */
function fillOf(chart: uPlot, { fill = 'plain' }: Line, stroke: string): string | CanvasPattern {
  const soft = stroke.replace('rgb(', 'rgba(').replace(')', `, ${fillAlpha})`);
  if (fill === 'plain') return soft;
  const tile = document.createElement('canvas');
  const ratio = devicePixelRatio;
  tile.width = tile.height = Math.round(tileSize * ratio);
  const context = tile.getContext('2d');
  if (!context) return soft;
  context.fillStyle = soft;
  context.fillRect(0, 0, tile.width, tile.height);
  context.scale(ratio, ratio);
  context.strokeStyle = stroke;
  context.lineWidth = 1.4;
  context.stroke(new Path2D(patterns[fill]));
  return chart.ctx.createPattern(tile, 'repeat') ?? soft;
}

/**
 * What custom properties come to. One by itself is only text, `light-dark(…)` as it stands; the
 * colour of an element that has it is what is to be seen.
 */
function colours(place: HTMLElement): (name: string) => string {
  return (name) => {
    const probe = document.createElement('span');
    probe.style.color = `var(${name})`;
    place.append(probe);
    const { color } = getComputedStyle(probe);
    probe.remove();
    return color;
  };
}

function timeOfDay(seconds: number): string {
  return new Date(seconds * 1_000).toLocaleTimeString('en-GB', {
    hour: '2-digit',
    minute: '2-digit',
  });
}
