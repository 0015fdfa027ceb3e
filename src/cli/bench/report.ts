import type { Paint } from '../paint.js';
import { type Column, tableLines } from '../table.js';
import { visible } from '../visible.js';
import { countText, digits, preciseText, tasksText } from './figures.js';
import { benchLimits } from './limits.js';
import { perSecond, phasesOf, type Result } from './result.js';
import { rowsOf } from './rows.js';
import type { End, Phase } from './tally.js';

/** How it is to be written. */
export interface Page {
  /** Columns that it has. */
  width: number;
  paint: Paint;
  /** Bars are of blocks, to an eighth of a column; else of `#`. */
  hasBlocks: boolean;
}

/** Above this share of a processor it is this client that may be measured. */
const busyClient = 0.8;

/** What is sent later than this is no matter of a timer. */
const lateMsMin = 10;

const meanings: Readonly<Record<Phase, string>> = {
  late: 'was sent later than it was due',
  queued: 'waited for a worker',
  dispatch: 'to the worker and back',
  start: 'until its process ran',
  run: 'its process ran',
  drain: 'its processes ended, output read',
  check: 'its output was judged',
  around: 'HTTP, the store, and this client',
};

/** What was measured, for people. */
export function reportLines(result: Result, page: Page): string[] {
  const { tally } = result;
  const parts = [
    [headline(result, page.paint)],
    endLines([...tally.ends.values()], page),
    tally.latency.count > 0 ? latencyLines(result, page) : [],
    tally.latency.count > 0 ? phaseLines(result, page) : [],
    notes(result, page.paint),
  ];
  return parts
    .filter((part) => part.length > 0)
    .flatMap((part, at) => (at > 0 ? ['', ...part] : part));
}

function headline(result: Result, paint: Paint): string {
  const { tally, elapsedMs, isInterrupted } = result;
  const speed = paint('strong', `${digits(perSecond(result))} tasks/s`);
  const failed = tally.tasks - tally.succeeded;
  const verdict =
    failed === 0
      ? paint('good', 'all succeeded')
      : paint('bad', `${countText(failed)} did not succeed`);
  const cut = isInterrupted ? paint('aside', ', interrupted') : '';
  return `${tasksText(tally.tasks)} in ${preciseText(elapsedMs)}: ${speed}, ${verdict}${cut}`;
}

const endColumns: readonly Column<End>[] = [
  { title: 'OUTCOME', of: ({ outcome }) => outcome, tone: () => 'bad' },
  { title: 'CODE', of: ({ code }) => code ?? '' },
  { title: 'TASKS', side: 'right', of: ({ tasks }) => countText(tasks) },
  { title: 'THE FIRST OF THEM', of: ({ reason }) => reason ?? '', columnsMin: 17 },
];

function endLines(ends: readonly End[], { width, paint }: Page): string[] {
  if (ends.length === 0) return [];
  const ordered = [...ends].sort((a, b) => b.tasks - a.tasks);
  return tableLines(ordered, endColumns, width, paint);
}

function latencyLines({ tally: { latency } }: Result, page: Page): string[] {
  const { paint } = page;
  const marks = [
    ['p50', latency.quantileMs(0.5)],
    ['p90', latency.quantileMs(0.9)],
    ['p99', latency.quantileMs(0.99)],
    ['p99.9', latency.quantileMs(0.999)],
    ['max', latency.maxMs],
  ] as const;
  const texts = marks.map(([name, ms]) => `${paint('quiet', name)} ${preciseText(ms)}`);
  return [`${paint('strong', 'latency')}  ${texts.join('  ')}`, ...barLines(latency, page)];
}

function barLines(latency: Result['tally']['latency'], page: Page): string[] {
  const rows = rowsOf(latency, benchLimits.rowsMax);
  const most = Math.max(...rows.map(({ count }) => count));
  const labels = rows.map(({ toMs }) => (toMs === undefined ? 'longer' : `≤ ${preciseText(toMs)}`));
  const counts = rows.map(({ count }) => countText(count));
  const labelWidth = Math.max(...labels.map((label) => label.length));
  const countWidth = Math.max(...counts.map((text) => text.length));
  const room = page.width - labelWidth - countWidth - 12;
  const barWidth = Math.max(0, Math.min(benchLimits.barColumnsMax, room));
  return rows.map(({ count }, at) => {
    const label = page.paint('quiet', (labels[at] ?? '').padStart(labelWidth));
    const share = `${((count / latency.count) * 100).toFixed(1)} %`.padStart(7);
    const bar = page.paint('good', barOf(count / most, barWidth, page.hasBlocks));
    return `  ${label} ${(counts[at] ?? '').padStart(countWidth)} ${share} ${bar}`.trimEnd();
  });
}

const eighths = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉'] as const;

/** What is there at all has a mark. */
function barOf(share: number, width: number, hasBlocks: boolean): string {
  if (share <= 0 || width <= 0) return '';
  if (!hasBlocks) return '#'.repeat(Math.max(1, Math.round(share * width)));
  const parts = Math.max(1, Math.round(share * width * eighths.length));
  return '█'.repeat(Math.floor(parts / eighths.length)) + eighths[parts % eighths.length];
}

function phaseLines(result: Result, { width, paint }: Page): string[] {
  const { tally } = result;
  const quantile = (phase: Phase, share: number) =>
    preciseText(tally.phases.get(phase)?.quantileMs(share) ?? 0);
  const columns: readonly Column<Phase>[] = [
    { title: 'PHASE', of: (phase) => phase },
    { title: 'P50', side: 'right', of: (phase) => quantile(phase, 0.5) },
    { title: 'P99', side: 'right', of: (phase) => quantile(phase, 0.99) },
    { title: 'WHERE THE TIME GOES', of: (phase) => meanings[phase], leaves: 1 },
  ];
  const shown = phasesOf(result).filter((phase) => tally.phases.get(phase)?.maxMs !== 0);
  return tableLines(shown, columns, width, paint);
}

/** What a reader might not think of. */
function notes(result: Result, paint: Paint): string[] {
  const { tally, load, clientCpu, runTag, url, isUrlGiven } = result;
  const lines: string[] = [];
  if (tally.retries.size > 0) {
    const each = [...tally.retries].map(([code, times]) => `${countText(times)} ${code}`);
    const waited = `waits of up to ${preciseText(tally.retryWaitMsMax)} are in the latency`;
    lines.push(paint('aside', `sent again after: ${visible(each.join(', '))}; ${waited}`));
  }
  const late = lateText(result);
  if (late !== undefined) lines.push(paint('aside', late));
  if (clientCpu >= busyClient) {
    const cure = load.isBatch ? 'run it elsewhere' : '--batch needs less';
    const share = `${Math.round(clientCpu * 100)} % of a processor`;
    lines.push(paint('aside', `this client took ${share}, and may be what limits: ${cure}`));
  }
  const service = isUrlGiven ? ` --url ${visible(url)}` : '';
  lines.push(paint('quiet', `scriptd list --tag ${runTag}${service}   shows the tasks`));
  return lines;
}

/** Why tasks were sent later than their rate says, where many were. */
function lateText({ tally, load, requestsMax }: Result): string | undefined {
  const { perSecond: asked } = load.pace;
  const lateMs = tally.phases.get('late')?.quantileMs(0.99) ?? 0;
  if (asked === undefined || lateMs < lateMsMin) return undefined;
  const why =
    requestsMax < load.clients
      ? 'this client was slow'
      : `all ${countText(load.clients)} requests (--clients) were in flight`;
  return `behind ${countText(asked)} tasks/s, 1 % by ${preciseText(lateMs)} or more: ${why}`;
}
