import { linearScale, roundAbove, type Scale } from '../../bench/plot/scales.js';
import { area, type Ink, line, type Markup, rectangle, svg, text } from '../../bench/plot/svg.js';
import type { Sample, Scenario } from './scenarios.js';

/** Pixels. */
const width = 880;
const panelHeight = 170;
const left = 64;
const right = 20;
const top = 76;
const gap = 46;
const height = top + 2 * panelHeight + gap + 46;

interface Panel {
  /** Pixels of its upper edge. */
  above: number;
  title: string;
  /** What its values are of. */
  y: Scale;
  most: number;
}

/** Two panels over the same time: tasks against slots, and pods. */
export function plot(scenario: Scenario, samples: readonly Sample[]): string {
  const seconds = samples.length;
  const x = linearScale({ most: seconds, from: left, to: width - right });
  const tasks = panelOf('tasks', top, samples, ({ tasks, slots }) => Math.max(tasks, slots));
  const pods = panelOf('pods', top + panelHeight + gap, samples, ({ all }) => all);
  const follow = (panel: Panel, read: (sample: Sample) => number, ink: Ink) =>
    line(steps(samples, panel, x, read), ink, { width: 1.6 });
  const fill = (panel: Panel, read: (sample: Sample) => number, ink: Ink) => {
    const floor = panel.above + panelHeight;
    const path = steps(samples, panel, x, read);
    return area(`${path}L${width - right},${floor}L${left},${floor}Z`, ink);
  };
  const { max } = scenario.options.rule;
  return svg({ width, height }, scenario.title, [
    text(left, 22, scenario.title, { ink: 'text', size: 14 }),
    ...legend(),
    ...[tasks, pods].flatMap((panel) => frame(panel, x, seconds)),
    fill(tasks, (sample) => sample.tasks, 'secondPale'),
    follow(tasks, (sample) => sample.tasks, 'second'),
    follow(tasks, (sample) => sample.slots, 'first'),
    fill(pods, (sample) => sample.all, 'firstPale'),
    follow(pods, (sample) => sample.up, 'first'),
    ...(pods.most >= max ? [ceilingLine(pods, max)] : []),
  ]);
}

function panelOf(
  title: string,
  above: number,
  samples: readonly Sample[],
  read: (sample: Sample) => number,
): Panel {
  const most = roundAbove(samples.reduce((sum, sample) => Math.max(sum, read(sample)), 1));
  return { title, above, most, y: linearScale({ most, from: above + panelHeight, to: above }) };
}

function legend(): Markup[] {
  const items = [
    ['second', 'tasks, running or waiting'],
    ['first', 'slots, and pods that are up'],
    ['firstPale', 'pods that start or drain'],
  ] as const;
  return items.flatMap(([ink, label], index) => {
    const x = left + index * 230;
    return [rectangle({ x, y: 34, width: 18, height: 8 }, ink), text(x + 24, 42, label)];
  });
}

function frame({ above, title, y }: Panel, x: Scale, seconds: number): Markup[] {
  const floor = above + panelHeight;
  const rows = y.ticks.flatMap((tick) => [
    line(`M${left},${y.at(tick)}H${width - right}`, 'grid'),
    text(left - 8, y.at(tick) + 4, String(Math.round(tick)), { anchor: 'end' }),
  ]);
  const every = tickSeconds(seconds);
  const columns: Markup[] = [];
  for (let second = 0; second <= seconds; second += every) {
    columns.push(text(x.at(second), floor + 16, time(second, seconds), { anchor: 'middle' }));
  }
  return [...rows, ...columns, text(left, above - 6, title, { ink: 'text', size: 12 })];
}

function ceilingLine({ y }: Panel, max: number): Markup {
  return line(`M${left},${y.at(max)}H${width - right}`, 'muted', { dash: '4 4' });
}

/** Only where it changes: a day has 86,400 samples. */
function steps(
  samples: readonly Sample[],
  { y, above }: Panel,
  x: Scale,
  read: (sample: Sample) => number,
): string {
  const bucket = Math.max(1, Math.floor(samples.length / 720));
  let path = `M${left},${above + panelHeight}`;
  for (let index = 0; index < samples.length; index += bucket) {
    // The highest of what falls on one pixel.
    const value = Math.max(...samples.slice(index, index + bucket).map(read));
    path += `H${x.at(index).toFixed(1)}V${y.at(value).toFixed(1)}`;
  }
  return `${path}H${width - right}`;
}

function tickSeconds(seconds: number): number {
  return [30, 60, 120, 300, 3_600, 10_800].find((step) => seconds / step <= 12) ?? 10_800;
}

function time(second: number, seconds: number): string {
  if (seconds > 10_000) return `${Math.round(second / 3_600)} h`;
  return seconds > 600 ? `${Math.round(second / 60)} min` : `${second} s`;
}
