import { drainingText, lacksWorkerText } from '../wire/reports.js';
import type { Overview } from './controller-port.js';
import { httpLimits } from './limits.js';

/** The most serious first. */
export const warningCodes = [
  'NOT_READY',
  'NO_WORKER',
  'DRAINING',
  'WORKER_SILENT',
  'QUEUE_GROWS',
  'PAUSED',
  'DEAD_LETTERS',
  'WEAK_ISOLATION',
] as const;
export type WarningCode = (typeof warningCodes)[number];

export interface Warning {
  code: WarningCode;
  /** One plain sentence with the cure. */
  text: string;
  /** Which type of task it is about. */
  type?: string;
  worker?: string;
}

type Queue = Overview['queues'][number];

/** A worker that should be connected, and has not been for so long. One that restarts is back by then. */
const silentMs = 15_000;
/** A queue that grows matters once there are so many tasks ready for each slot. */
const readyPerSlotMin = 10;
/** It has grown in each of so many minutes. */
const minutesGrown = 5;

/** What somebody should look at, the most serious first; at most `warningsMax`. */
export function warningsOf(overview: Overview): Warning[] {
  const found = [
    ...notReady(overview),
    ...overview.queues.flatMap(ofQueue),
    ...ofWorkers(overview),
    ...deadLetters(overview),
  ];
  const rank = ({ code }: Warning) => warningCodes.indexOf(code);
  // Equal ones stay in the order of their types and workers.
  return found.sort((a, b) => rank(a) - rank(b)).slice(0, httpLimits.warningsMax);
}

/** What is missing, but for that of which another warning says more. */
function notReady({ missing, draining, queues }: Overview): Warning[] {
  const told = new Set(queues.filter(isWithoutWorker).map(({ type }) => lacksWorkerText(type))).add(
    drainingText,
  );
  const others = missing.filter((text) => !told.has(text));
  const warnings: Warning[] = others.map((text) => ({
    code: 'NOT_READY',
    text: `The service is not ready: ${text}; its log says more.`,
  }));
  if (!draining) return warnings;
  const text =
    'The service is being stopped and takes no new tasks: they can be submitted once it is started again.';
  return [...warnings, { code: 'DRAINING', text }];
}

function isWithoutWorker({ workers, lacksWorker, ready, waiting, running }: Queue): boolean {
  return workers === 0 && (lacksWorker === true || ready + waiting + running > 0);
}

function ofQueue(queue: Queue): Warning[] {
  const { type, ready, paused } = queue;
  const warnings: Warning[] = [];
  if (isWithoutWorker(queue)) {
    const text =
      `No worker of type ${type} is connected, so that its tasks wait: ` +
      'start one, or look at the log for why it ended.';
    warnings.push({ code: 'NO_WORKER', type, text });
  }
  if (grows(queue)) {
    const text =
      `More and more tasks of type ${type} are ready (${ready}, for ${slotsText(queue)}): ` +
      'add workers or slots, or submit less.';
    warnings.push({ code: 'QUEUE_GROWS', type, text });
  }
  if (paused && ready > 0) {
    const text = `Type ${type} is paused and ${tasksText(ready)}: resume it to go on.`;
    warnings.push({ code: 'PAUSED', type, text });
  }
  return warnings;
}

/** In each of the last minutes, and to much. One that is paused grows because of that. */
function grows({ ready, slots, paused, readyPerMinute }: Queue): boolean {
  const counts = readyPerMinute.slice(-(minutesGrown + 1));
  if (paused || counts.length <= minutesGrown || ready <= readyPerSlotMin * slots) return false;
  return counts.every((count, at) => at === 0 || count > (counts[at - 1] ?? 0));
}

function ofWorkers({ workers, absent, queues }: Overview): Warning[] {
  // Where there is none at all, that is said.
  const told = new Set(queues.filter(isWithoutWorker).map(({ type }) => type));
  const silent: Warning[] = absent
    .filter(({ type, absentMs }) => absentMs > silentMs && !told.has(type))
    .map(({ id, type }) => ({
      code: 'WORKER_SILENT',
      text:
        `The worker ${id} has not been connected for more than ${silentMs / 1000} s: ` +
        'look at its log, its host and the network.',
      ...{ type, worker: id },
    }));
  const weak = new Map<string, Warning>();
  for (const { type, isolation } of workers) {
    const { level } = isolation;
    const key = `${type} ${level}`;
    if (level === 'strict' || weak.has(key)) continue;
    const text =
      `Scripts of type ${type} run with isolation ${level}, not strict: ` +
      '`scriptd doctor` says what the host lacks, and --isolation strict insists on it.';
    weak.set(key, { code: 'WEAK_ISOLATION', type, text });
  }
  return [...silent, ...weak.values()];
}

function deadLetters({ deadLetters: count = 0, deadLettersMore: isMore }: Overview): Warning[] {
  if (count === 0) return [];
  const many = `${isMore ? 'more than ' : ''}${count} ${count === 1 ? 'task was' : 'tasks were'}`;
  const text = `${many} given up by no doing of their own: look at their reasons, then send them again.`;
  return [{ code: 'DEAD_LETTERS', text: text.charAt(0).toUpperCase() + text.slice(1) }];
}

function slotsText({ slots }: Queue): string {
  return slots === 1 ? '1 slot' : `${slots} slots`;
}

function tasksText(ready: number): string {
  return ready === 1 ? '1 task of it is ready' : `${ready} tasks of it are ready`;
}
