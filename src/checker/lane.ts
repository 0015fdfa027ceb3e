import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { packageRoot } from '../native.js';
import type { Answer } from './answer.js';
import { type Job, ready } from './job.js';
import { checkerLimits } from './limits.js';

const envProgram = '/usr/bin/env';
const program = join(packageRoot, 'dist', 'src', 'checker', 'process.js');

/** Reads files, which loading takes, and nothing else of the host. Source: Node, "Permissions". */
const permission = process.allowedNodeEnvironmentFlags.has('--permission')
  ? '--permission'
  : '--experimental-permission';
const argv = [
  permission,
  '--allow-fs-read=*',
  '--no-warnings',
  `--max-old-space-size=${checkerLimits.heapMebibytesMax}`,
  program,
];

export interface Work {
  job: Job;
  answer: (answer: Answer) => void;
}

/**
 * One checker process at a time, with at most one job:
 *
 *     none ─ work ─▶ starting ─ ready ─▶ busy ─ answer ─▶ idle ─ work ─▶ busy
 *       ▲                │ exit           │ exit; late, dropped: killed   │ idleMs: ended
 *       └────────────────┴────────────────┴───────────────────────────────┘
 *
 * A process, not a thread: a regular expression or an output that V8 cannot cope with ends the
 * process that it is in, and a worker has other scripts to run.
 */
export class Lane {
  readonly #onIdle: () => void;
  #child: ChildProcess | undefined;
  #work: Work | undefined;
  #isReady = false;
  /** Of what the process does now: start, answer, or wait for work. */
  #patience: NodeJS.Timeout | undefined;
  #isLate = false;

  /** @param onIdle it can take the next work */
  constructor(onIdle: () => void) {
    this.#onIdle = onIdle;
  }

  get isIdle(): boolean {
    return this.#work === undefined;
  }

  /** True when work begins at once. */
  get isWarm(): boolean {
    return this.#isReady;
  }

  /** Pid of its process, if there is one. */
  get pid(): number | undefined {
    return this.#child?.pid;
  }

  take(work: Work): void {
    this.#work = work;
    if (!this.#child) this.#start();
    else if (this.#isReady) this.#send(this.#child, work);
  }

  /** Nobody wants its answer any more. */
  drop(work: Work): void {
    if (this.#work !== work) return;
    this.#work = undefined;
    // Nothing else ends what it computes. One that starts is of use to the next.
    if (this.#isReady) this.#end();
    this.#onIdle();
  }

  close(): void {
    this.#end();
    this.#answer({ kind: 'fault', message: 'the part that checks was shut down' });
  }

  #start(): void {
    const child = spawn(envProgram, ['-u', 'NODE_OPTIONS', process.execPath, ...argv], {
      // Nothing of ours: no settings, no tokens. (NODE_OPTIONS: a test runner puts its own there.)
      env: {},
      cwd: '/',
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    });
    this.#child = child;
    this.#isReady = false;
    this.#isLate = false;
    child.once('exit', (code, signal) => this.#gone(child, signal ?? `exit code ${code}`));
    child.once('error', (error) => this.#gone(child, error.message));
    child.on('message', (message) => {
      if (child !== this.#child) return;
      if (message !== ready) {
        this.#rest(child);
        this.#answer(message as Answer);
        return;
      }
      this.#isReady = true;
      if (this.#work) this.#send(child, this.#work);
      else this.#rest(child);
    });
    this.#killAfter(child, checkerLimits.startMs);
  }

  #send(child: ChildProcess, { job }: Work): void {
    child.ref();
    child.channel?.ref();
    this.#killAfter(child, checkerLimits.checkMs + checkerLimits.killGraceMs);
    // A channel that broke has its exit told.
    child.send(job, () => undefined);
  }

  #killAfter(child: ChildProcess, ms: number): void {
    this.#wait(
      setTimeout(() => {
        this.#isLate = true;
        child.kill('SIGKILL');
      }, ms),
    );
  }

  #rest(child: ChildProcess): void {
    // Whoever waits for nothing else may end.
    child.unref();
    child.channel?.unref();
    this.#wait(setTimeout(() => this.#end(), checkerLimits.idleMs).unref());
  }

  #end(): void {
    this.#wait(undefined);
    const child = this.#child;
    this.#child = undefined;
    this.#isReady = false;
    child?.kill('SIGKILL');
  }

  #gone(child: ChildProcess, how: string): void {
    if (child !== this.#child) return;
    this.#child = undefined;
    this.#wait(undefined);
    const began = this.#isReady;
    this.#isReady = false;
    this.#answer(
      !began
        ? { kind: 'fault', message: `the checker process did not start (${how})` }
        : this.#isLate
          ? { kind: 'failed', message: `it was not done after ${checkerLimits.checkMs} ms` }
          : {
              kind: 'failed',
              message: `its process ended (${how}), for which memory is the usual cause`,
            },
    );
  }

  #answer(answer: Answer): void {
    const work = this.#work;
    this.#work = undefined;
    if (!work) return;
    work.answer(answer);
    this.#onIdle();
  }

  #wait(patience: NodeJS.Timeout | undefined): void {
    clearTimeout(this.#patience);
    this.#patience = patience;
  }
}
