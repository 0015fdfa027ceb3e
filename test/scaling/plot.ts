import type { Sample, Scenario } from './scenarios.js';

/** Pixels. */
const width = 880;
const panelHeight = 170;
const left = 64;
const right = 20;
const top = 76;
const gap = 46;
const height = top + 2 * panelHeight + gap + 46;

const ink = {
  text: '#1f2933',
  muted: '#6b7785',
  grid: '#e3e8ee',
  load: '#c2410c',
  pods: '#1d4ed8',
};
const pale = { load: '#fed7aa', pods: '#bfdbfe' };

interface Panel {
  y: number;
  title: string;
  most: number;
}

/** Two panels over the same time: tasks against slots, and pods. */
export function plot(scenario: Scenario, samples: readonly Sample[]): string {
  const seconds = samples.length;
  const tasks = {
    y: top,
    title: 'tasks',
    most: ceiling(samples, ({ tasks, slots }) => Math.max(tasks, slots)),
  };
  const pods = {
    y: top + panelHeight + gap,
    title: 'pods',
    most: ceiling(samples, ({ all }) => all),
  };
  const line = (panel: Panel, read: (sample: Sample) => number, colour: string) =>
    `<path d="${steps(samples, panel, seconds, read)}" fill="none" stroke="${colour}" stroke-width="1.6"/>`;
  const area = (panel: Panel, read: (sample: Sample) => number, colour: string) => {
    const floor = panel.y + panelHeight;
    const path = steps(samples, panel, seconds, read);
    return `<path d="${path}L${width - right},${floor}L${left},${floor}Z" fill="${colour}"/>`;
  };
  const { max } = scenario.options.rule;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif">`,
    `<rect width="${width}" height="${height}" fill="#ffffff"/>`,
    text(left, 22, scenario.title, ink.text, 14),
    legend(),
    ...[tasks, pods].flatMap((panel) => frame(panel, seconds)),
    area(tasks, (sample) => sample.tasks, pale.load),
    line(tasks, (sample) => sample.tasks, ink.load),
    line(tasks, (sample) => sample.slots, ink.pods),
    area(pods, (sample) => sample.all, pale.pods),
    line(pods, (sample) => sample.up, ink.pods),
    pods.most >= max ? ceilingLine(pods, max) : '',
    '</svg>',
    '',
  ].join('\n');
}

function legend(): string {
  const items = [
    [ink.load, 'tasks, running or waiting'],
    [ink.pods, 'slots, and pods that are up'],
    [pale.pods, 'pods that start or drain'],
  ] as const;
  return items
    .map(([colour, label], index) => {
      const x = left + index * 230;
      return `<rect x="${x}" y="34" width="18" height="8" fill="${colour}"/>${text(x + 24, 42, label, ink.muted, 11)}`;
    })
    .join('\n');
}

function frame({ y, title, most }: Panel, seconds: number): string[] {
  const floor = y + panelHeight;
  const rows = [0, 0.25, 0.5, 0.75, 1].map((share) => {
    const at = floor - share * panelHeight;
    const label = text(left - 8, at + 4, String(Math.round(share * most)), ink.muted, 11, 'end');
    return `<path d="M${left},${at}H${width - right}" stroke="${ink.grid}"/>${label}`;
  });
  const every = tick(seconds);
  const columns = [];
  for (let second = 0; second <= seconds; second += every) {
    const x = left + (second / seconds) * (width - left - right);
    columns.push(text(x, floor + 16, time(second, seconds), ink.muted, 11, 'middle'));
  }
  return [...rows, ...columns, text(left, y - 6, title, ink.text, 12)];
}

function ceilingLine({ y, most }: Panel, max: number): string {
  const at = y + panelHeight - (max / most) * panelHeight;
  return `<path d="M${left},${at}H${width - right}" stroke="${ink.muted}" stroke-dasharray="4 4"/>`;
}

/** Only where it changes: a day has 86,400 samples. */
function steps(
  samples: readonly Sample[],
  { y, most }: Panel,
  seconds: number,
  read: (sample: Sample) => number,
): string {
  const floor = y + panelHeight;
  const bucket = Math.max(1, Math.floor(seconds / 720));
  let path = `M${left},${floor}`;
  for (let index = 0; index < seconds; index += bucket) {
    // The highest of what falls on one pixel.
    const value = Math.max(...samples.slice(index, index + bucket).map(read));
    const x = left + (index / seconds) * (width - left - right);
    path += `H${x.toFixed(1)}V${(floor - (value / most) * panelHeight).toFixed(1)}`;
  }
  return `${path}H${width - right}`;
}

function text(
  x: number,
  y: number,
  content: string,
  colour: string,
  size: number,
  anchor = 'start',
): string {
  return `<text x="${x}" y="${y}" fill="${colour}" font-size="${size}" text-anchor="${anchor}">${content}</text>`;
}

/** The axis' end: a round number above all. */
function ceiling(samples: readonly Sample[], read: (sample: Sample) => number): number {
  const most = samples.reduce((sum, sample) => Math.max(sum, read(sample)), 1);
  const unit = 10 ** Math.floor(Math.log10(most)) / 2;
  return Math.max(4, Math.ceil((most * 1.05) / unit) * unit);
}

function tick(seconds: number): number {
  return [30, 60, 120, 300, 3_600, 10_800].find((step) => seconds / step <= 12) ?? 10_800;
}

function time(second: number, seconds: number): string {
  if (seconds > 10_000) return `${Math.round(second / 3_600)} h`;
  return seconds > 600 ? `${Math.round(second / 60)} min` : `${second} s`;
}
