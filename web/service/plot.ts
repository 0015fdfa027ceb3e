import type { Outcome } from '../../src/verdict.js';
import type { TypeSample } from '../api/overview.js';
import { count, milliseconds } from '../ui/format.js';
import type { Pattern } from './pattern.js';
import { columnOf, type Steps, spanOf } from './steps.js';

/** How one line of a chart looks: never told by its colour alone. */
export interface Line {
  label: string;
  /** Name of a custom property of charts.css. */
  colour: string;
  /** Lengths of dashes and gaps, in CSS pixels; empty is a line without gaps. */
  dash: readonly number[];
  /** What the area below it is filled with, if it is. */
  fill?: Pattern;
}

/** All that a chart shows. */
export interface Plot {
  title: string;
  /** The same in words, for who can't see it. */
  sentence: string;
  lines: readonly Line[];
  /** One for each line, as long as `steps.at`. */
  columns: readonly (readonly (number | null)[])[];
  /** Each line is drawn on top of those before it. */
  stacked: boolean;
  /** Its values are whole numbers. */
  whole: boolean;
  /** A value as people read it. */
  text: (value: number) => string;
  /** The value axis reaches at least so far. */
  topMin: number;
  steps: Steps;
}

const solid: readonly number[] = [];
const dashed = [7, 4];
const dotted = [2, 3];
const mixed = [9, 3, 2, 3];

type Parts = Omit<Plot, 'stacked' | 'whole'> & Partial<Pick<Plot, 'stacked' | 'whole'>>;

function plot(parts: Parts): Plot {
  return { stacked: false, whole: false, ...parts };
}

export function depthPlot(type: string, steps: Steps): Plot {
  const ready = columnOf(steps, type, (sample) => sample.ready);
  return plot({
    title: 'Depth',
    sentence:
      `Depth of ${type} ${spanOf(steps)}: now ${count(newest(ready))}, ` +
      `highest ${count(highest(ready))}.`,
    lines: [
      { label: 'ready', colour: '--chart-1', dash: solid, fill: 'plain' },
      { label: 'waiting', colour: '--chart-3', dash: mixed },
      { label: 'running', colour: '--chart-2', dash: dashed },
      { label: 'slots', colour: '--chart-4', dash: dotted },
    ],
    columns: [
      ready,
      columnOf(steps, type, (sample) => sample.waiting),
      columnOf(steps, type, (sample) => sample.running),
      columnOf(steps, type, (sample) => sample.slots),
    ],
    whole: true,
    text: (value) => count(Math.round(value)),
    topMin: 4,
    steps,
  });
}

export function waitPlot(type: string, steps: Steps): Plot {
  const mean = columnOf(steps, type, (sample) => sample.queuedMsMean);
  const most = columnOf(steps, type, (sample) => sample.queuedMsMax);
  return plot({
    title: 'Waiting time',
    sentence:
      `Waiting time of ${type} ${spanOf(steps)}: now ${duration(newest(mean))} on average, ` +
      `longest ${duration(highest(most))}.`,
    lines: [
      { label: 'longest', colour: '--chart-2', dash: dashed },
      { label: 'mean', colour: '--chart-1', dash: solid, fill: 'plain' },
    ],
    columns: [most, mean],
    text: duration,
    topMin: 10,
    steps,
  });
}

export function throughputPlot(type: string, steps: Steps): Plot {
  const { stepSeconds } = steps;
  const submitted = columnOf(steps, type, (sample) => sample.submitted / stepSeconds);
  const finished = columnOf(steps, type, (sample) => total(sample) / stepSeconds);
  return plot({
    title: 'Throughput',
    sentence:
      `Throughput of ${type} ${spanOf(steps)}: now ${rate(newest(submitted))} submitted and ` +
      `${rate(newest(finished))} finished, highest ${rate(highest(finished))} finished.`,
    lines: [
      { label: 'submitted', colour: '--chart-2', dash: dashed },
      { label: 'finished', colour: '--chart-1', dash: solid, fill: 'plain' },
    ],
    columns: [submitted, finished],
    text: rate,
    topMin: 1,
    steps,
  });
}

/** In this order they are stacked: what went well at the bottom. */
const outcomeLines: readonly (Line & { outcome: Outcome })[] = (
  [
    { outcome: 'success', colour: '--outcome-success', fill: 'plain' },
    { outcome: 'runtime_error', colour: '--outcome-runtime-error', fill: 'rising' },
    { outcome: 'format_error', colour: '--outcome-format-error', fill: 'dots' },
    { outcome: 'network_fail', colour: '--outcome-network-fail', fill: 'falling' },
    { outcome: 'internal_fail', colour: '--outcome-internal-fail', fill: 'crossed' },
    { outcome: 'cancelled', colour: '--outcome-cancelled', fill: 'level' },
    { outcome: 'expired', colour: '--outcome-expired', fill: 'upright' },
  ] as const
).map((line) => ({
  ...line,
  label: line.outcome.replaceAll('_', ' '),
  dash: solid,
}));

export function outcomePlot(type: string, steps: Steps): Plot {
  const { stepSeconds } = steps;
  const shown = outcomeLines
    .map((line) => {
      const counts = columnOf(steps, type, ({ finished }) => finished[line.outcome] ?? 0);
      return { line, counts, sum: counts.reduce<number>((sum, value) => sum + (value ?? 0), 0) };
    })
    .filter(({ line, sum }) => sum > 0 || line.outcome === 'success');
  const counted = shown.map(({ line, sum }) => `${count(sum)} ${line.label}`);
  return plot({
    title: 'Outcomes',
    sentence: `Outcomes of ${type} ${spanOf(steps)}: ${counted.join(', ')}.`,
    lines: shown.map(({ line }) => line),
    columns: shown.map(({ counts }) =>
      counts.map((value) => (value === null ? null : value / stepSeconds)),
    ),
    stacked: true,
    text: rate,
    topMin: 1,
    steps,
  });
}

function total({ finished }: TypeSample): number {
  return Object.values(finished).reduce((sum, value) => sum + value, 0);
}

function newest(column: readonly (number | null)[]): number {
  return column.findLast((value) => value !== null) ?? 0;
}

function highest(column: readonly (number | null)[]): number {
  return column.reduce<number>((most, value) => Math.max(most, value ?? 0), 0);
}

function duration(ms: number): string {
  if (ms < 1_000) return `${Number(ms.toPrecision(3))} ms`;
  return ms < 60_000 ? `${Number((ms / 1_000).toPrecision(3))} s` : milliseconds(ms);
}

function rate(perSecond: number): string {
  return `${perSecond < 10 ? Number(perSecond.toFixed(2)) : count(Math.round(perSecond))}/s`;
}
