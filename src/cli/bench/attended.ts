import { setTimeout as sleep } from 'node:timers/promises';
import type { Scriptd } from '../../client/index.js';
import { onInterruption } from '../interruption.js';
import { visible } from '../visible.js';
import { cancelOpen } from './cancel-open.js';
import { tasksText } from './figures.js';
import { benchLimits } from './limits.js';
import type { Load } from './load.js';

/** 128 and SIGINT: what a shell shows of a program that Ctrl-C ended. */
export const interrupted = 130;

export interface AttendedOptions {
  client: Scriptd;
  load: Load;
  /** Of the tasks that may have to be cancelled. */
  runTag: string;
  /** Says something to whoever interrupts. */
  say: (text: string) => void;
}

/**
 * Runs a load whose caller is there. Ctrl-C: the first time no more is sent, the second time what is in
 * flight is cancelled, the third time the process ends.
 *
 * @returns whether it was interrupted
 */
export async function runAttended(options: AttendedOptions): Promise<boolean> {
  const { load } = options;
  let times = 0;
  let isOver = false;
  let cancelling: Promise<void> | undefined;
  const over = () => isOver;
  const uninterrupted = onInterruption(() => {
    times++;
    if (times > 2) {
      options.say(`left alone: scriptd list --tag ${options.runTag} shows what becomes of them`);
      process.exit(interrupted);
    }
    if (times === 2) cancelling = cancelRest(options, over);
    else {
      load.stop();
      options.say(`sent no more; ${tasksText(load.inFlight)} in flight, once more cancels them`);
    }
  });
  try {
    await load.run();
    isOver = true;
    await cancelling;
  } finally {
    uninterrupted();
  }
  return times > 0;
}

/** Their requests bring them as cancelled; what brings nothing by then is given up. */
async function cancelRest(options: AttendedOptions, isOver: () => boolean): Promise<void> {
  const { client, load, runTag, say } = options;
  say(`cancelling ${tasksText(load.inFlight)}; once more leaves them alone`);
  try {
    await cancelOpen(client, runTag);
    const endsAtMs = performance.now() + benchLimits.cancelMsMax;
    while (!isOver() && performance.now() < endsAtMs) await sleep(20);
    if (isOver()) return;
    load.abandon();
    // What was on its way to the service.
    await cancelOpen(client, runTag);
  } catch (error) {
    load.abandon();
    say(`not all could be cancelled: ${visible(String(error))}`);
  }
}
