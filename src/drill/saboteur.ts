import { setTimeout as sleep } from 'node:timers/promises';
import type { Instance } from './instance.js';
import { signal } from './processes.js';
import type { Tally } from './tally.js';

export interface SaboteurOptions {
  instance: Instance;
  tally: Tally;
  /** On the average, in milliseconds. */
  killEveryMs: number;
  random: () => number;
}

/** Kills parts of an instance at random moments: any of them, but never `up`. */
export class Saboteur {
  readonly #options: SaboteurOptions;

  constructor(options: SaboteurOptions) {
    this.#options = options;
  }

  /** Until the signal says so. */
  async run(stop: AbortSignal): Promise<void> {
    const { killEveryMs, random } = this.#options;
    while (!stop.aborted) {
      await pause(killEveryMs * (0.5 + random()), stop);
      if (!stop.aborted) this.#strike();
    }
  }

  #strike(): void {
    const { instance, tally, random } = this.#options;
    const parts = [...instance.parts()];
    const [name, pid] = parts[Math.floor(random() * parts.length)] ?? [];
    // All of them are just being started.
    if (name === undefined || pid === undefined) return;
    const how = name.startsWith('worker') && random() < 0.3 ? 'SIGSTOP' : 'SIGKILL';
    if (signal(pid, how)) tally.killed(`${name} ${how}`);
  }
}

/** Less when the signal comes. */
async function pause(waitMs: number, stop: AbortSignal): Promise<void> {
  try {
    await sleep(waitMs, undefined, { signal: stop });
  } catch (error) {
    if (!stop.aborted) throw error;
  }
}
