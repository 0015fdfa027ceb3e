import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { errorCode, ScriptdError } from '../errors.js';
import { Client } from './client.js';
import { Instance, type UpCommand } from './instance.js';
import { drillLimits } from './limits.js';
import { Requests } from './requests.js';
import { Saboteur } from './saboteur.js';
import { type DrillReport, isWhole, type KeptTask, Tally } from './tally.js';

export interface DrillOptions {
  command: UpCommand;
  /** How long tasks are submitted and parts killed. */
  seconds: number;
  killEveryMs: number;
  /** Given: when something went wrong the instance's folder stays, and this is told where. */
  onKept: ((folder: string) => void) | undefined;
  /** Ends it early: nothing of it stays behind. */
  stop: AbortSignal;
  /** Told now and then how long it lasts, in seconds, and what is submitted. */
  onProgress: (seconds: number, submitted: number) => void;
}

/** Most tasks of one page of a list. */
const pageTasks = 200;

/**
 * Submits scripts to an instance of its own whose parts it kills, waits until everything is
 * finished, and compares what was acknowledged with what is there.
 *
 * @throws ScriptdError DRILL_FAILED: it could not be held, so it says nothing
 */
export async function drill(options: DrillOptions): Promise<DrillReport> {
  const instance = new Instance(options.command);
  let whole = false;
  try {
    const report = await Promise.race([heldOn(instance, options), endedEarly(options.stop)]);
    whole = isWhole(report);
    return report;
  } finally {
    const keep = options.onKept !== undefined && !whole;
    await instance.end({ keep });
    if (keep) options.onKept?.(instance.folder);
  }
}

/** @throws ScriptdError DRILL_FAILED once the signal comes */
async function endedEarly(stop: AbortSignal): Promise<never> {
  if (!stop.aborted) await once(stop, 'abort');
  throw new ScriptdError('DRILL_FAILED', 'the drill was ended early: it says nothing');
}

async function heldOn(instance: Instance, options: DrillOptions): Promise<DrillReport> {
  const { seconds, killEveryMs, stop, onProgress } = options;
  const startMs = performance.now();
  const elapsedSeconds = () => (performance.now() - startMs) / 1_000;
  const tally = new Tally();
  const requests = new Requests(await instance.ready(), () => {
    tally.sentAgain += 1;
  });
  const random = Math.random;
  // Not AbortSignal.any of a timeout: Node 20 may collect that before its time has come.
  const end = new AbortController();
  const over = end.signal;
  const timer = setTimeout(() => end.abort(), seconds * 1_000);
  stop.addEventListener('abort', () => end.abort(), { once: true });
  const progress = setInterval(() => onProgress(elapsedSeconds(), tally.submitted), 100);
  try {
    const { notesFile } = instance;
    const clients = Array.from({ length: drillLimits.clients }, (_, index) =>
      new Client({ name: `client${index + 1}`, requests, tally, notesFile, random }).run(over),
    );
    await Promise.all([
      new Saboteur({ instance, tally, killEveryMs, random }).run(over),
      ...clients,
    ]);
    await finished(requests);
    const kept = await everything(requests);
    return tally.report(kept, executions(notesFile), elapsedSeconds());
  } finally {
    clearTimeout(timer);
    clearInterval(progress);
    end.abort();
  }
}

/** Waits until nothing is pending or running, or until that takes too long. */
async function finished(requests: Requests): Promise<void> {
  const deadlineMs = performance.now() + drillLimits.finishMs;
  while (performance.now() < deadlineMs) {
    const pages = await Promise.all(
      ['pending', 'running'].map((state) => page(requests, `state=${state}&limit=1`)),
    );
    if (pages.every(({ tasks }) => tasks.length === 0)) return;
    await sleep(drillLimits.pollMs);
  }
}

async function everything(requests: Requests): Promise<KeptTask[]> {
  const all: KeptTask[] = [];
  let cursor = '';
  for (;;) {
    const { tasks, next } = await page(requests, `limit=${pageTasks}${cursor}`);
    all.push(...tasks);
    if (next === undefined) return all;
    cursor = `&cursor=${encodeURIComponent(next)}`;
  }
}

async function page(requests: Requests, query: string) {
  const answer = await requests.persist(() => ({ path: `/v1/tasks?${query}` }));
  if (answer?.status !== 200) {
    const said = answer ? `${answer.status}: ${JSON.stringify(answer.json)}` : 'no answer';
    throw new ScriptdError('DRILL_FAILED', `the list of tasks cannot be read: ${said}`);
  }
  return answer.json as { tasks: KeptTask[]; next?: string };
}

/** One mark for each execution. */
function executions(notesFile: string): string[] {
  try {
    return readFileSync(notesFile, 'utf8').split('\n').slice(0, -1);
  } catch (error) {
    // Nothing was executed.
    if (errorCode(error) === 'ENOENT') return [];
    throw error;
  }
}
