import { writeSync } from 'node:fs';
import type { Config } from '../config/settings.js';
import { errorCode, errorMessage } from '../errors.js';
import { createLog, type Log } from '../log.js';
import { type Notifier, takeNotifier } from '../systemd/notifier.js';
import { exitCodeFor, exitCodes } from './exit-codes.js';

/** A part that runs in this process, from its start to its orderly end. */
export interface RunningPart {
  /**
   * Ends it in order. `orphaned`: whoever started this process is gone, so nothing that it started
   * may stay behind.
   */
  stop(orphaned: boolean): Promise<void>;
  /** Fulfilled when it ended by itself, with the exit code. */
  ended?: Promise<number>;
  /** Fulfilled when it does what it is there for; without it, it does from the start. */
  ready?: Promise<void>;
  /** How it stands, in one line for people. Asked every few seconds where somebody wants to know. */
  standing(): string | Promise<string>;
}

/** Between two looks at how a part stands. Milliseconds. */
const standingMs = 3_000;

/** Tells whoever started this part, which may be gone by now. One line on stdout. */
export function announce(line: string): void {
  try {
    writeSync(1, `${line}\n`);
  } catch (error) {
    if (errorCode(error) !== 'EPIPE') throw error;
  }
}

/** Set by `up` for the parts that it starts: stdin is a pipe that closes when `up` is gone. */
export const lifelineVariable = 'SCRIPTD_LIFELINE';

/**
 * Runs a part as this process: starts it, ends it on SIGTERM or SIGINT or when its starter is gone,
 * and exits. A second signal exits at once. A fault of ours that nobody caught is logged and ends
 * the process: whoever watches it starts it again.
 */
export async function runPart(
  name: string,
  config: Config,
  start: (log: Log) => Promise<RunningPart>,
): Promise<void> {
  const log = createLog(name, config.logLevel);
  const die = (error: unknown) => {
    log.fatal({ err: error }, `${name} failed: ${errorMessage(error)}`);
    process.exit(exitCodes.failed);
  };
  const notifier = takeNotifier(process.env, log);
  process.on('uncaughtException', die);
  process.on('unhandledRejection', die);

  let stopping = false;
  let part: RunningPart;
  // Installed before the start: a signal in between must not leave half a start behind.
  const early = new Promise<string>((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => resolve(signal));
    if (process.env[lifelineVariable] !== undefined) {
      process.stdin.resume();
      process.stdin.once('close', () => resolve('orphaned'));
    }
  });
  try {
    part = await start(log);
  } catch (error) {
    log.fatal({ code: errorCode(error) }, errorMessage(error));
    process.exit(exitCodeFor(errorCode(error)));
  }
  const telling = notifier && tellStanding(notifier, part, () => !stopping);
  const ended = part.ended?.then((code) => process.exit(stopping ? exitCodes.done : code));
  void ended;
  const cause = await early;
  stopping = true;
  clearInterval(telling);
  notifier?.stopping();
  notifier?.status('stopping: what runs may finish');
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.once(signal, () => {
      log.warn(`${signal} again: exiting at once`);
      process.exit(exitCodes.failed);
    });
  }
  log.info(
    cause === 'orphaned' ? 'whoever started this part is gone: stopping' : `${cause}: stopping`,
  );
  await part.stop(cause === 'orphaned');
  process.exit(exitCodes.done);
}

/** Tells the service manager when the part is ready, and from the start how it stands. */
function tellStanding(
  notifier: Notifier,
  part: RunningPart,
  goesOn: () => boolean,
): NodeJS.Timeout {
  const tell = async () => {
    const standing = await part.standing();
    if (goesOn()) notifier.status(standing);
  };
  const ready = part.ready ?? Promise.resolve();
  void ready.then(() => {
    if (goesOn()) notifier.ready();
    return tell();
  });
  const timer = setInterval(() => void tell(), standingMs);
  timer.unref();
  return timer;
}
