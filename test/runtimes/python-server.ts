import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import {
  type Ended,
  environment,
  finish,
  frameOf,
  inFolder,
  type Script,
  spawnWith,
  untilItReads,
} from './prepared.js';

const source = join(import.meta.dirname, '../../../test/runtimes/fork-stand-in.c');

/** The shared library that the server loads instead of the sandbox. */
export function compileStandIn(folder: string): string {
  const library = join(folder, 'stand-in.so');
  execFileSync('cc', ['-shared', '-fPIC', '-Wall', '-Werror', '-o', library, source]);
  return library;
}

/** A fork server; its children are plain processes. One run at a time. */
export class PythonServer {
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<string>;
  readonly ready: Promise<string>;

  constructor(command: string[]) {
    this.#child = spawnWith(environment(), command, {
      stdio: ['ignore', 'pipe', 'inherit', 'pipe'],
    });
    const answers = this.#child.stdio[3] as NodeJS.ReadableStream;
    this.#lines = createInterface(answers)[Symbol.asyncIterator]();
    const output = createInterface(this.#child.stdout as NodeJS.ReadableStream);
    this.ready = new Promise((done) => output.once('line', done));
  }

  run(script: Script): Promise<Ended> {
    return inFolder(async (folder) => {
      const work = join(folder, 'work');
      mkdirSync(work);
      writeFileSync(join(folder, 'stdin'), script.stdin ?? '');
      execFileSync('mkfifo', [join(folder, 'control')]);
      const requests = this.#child.stdio[3] as NodeJS.WritableStream;
      requests.write(`${folder}\n`);
      const pid = Number(await this.#line());
      const control = writing(join(folder, 'control'));
      await untilItReads(pid);
      control.stdin?.end(frameOf('script.py', script));
      const status = Number(await this.#line());
      const signal = status & 0x7f;
      const end = signal === 0 ? status >> 8 : signalName(signal);
      const [stdout, stderr] = ['stdout', 'stderr'].map((name) => readFileSync(join(folder, name)));
      return finish(work, end, stdout as Buffer, stderr as Buffer);
    });
  }

  /** Closes the requests. The exit code. */
  close(): Promise<number | null> {
    const code = new Promise<number | null>((done) => this.#child.once('exit', done));
    (this.#child.stdio[3] as NodeJS.WritableStream).end();
    return code;
  }

  async #line(): Promise<string> {
    const { value, done } = await this.#lines.next();
    if (done) throw new Error('the fork server is gone');
    return value;
  }
}

/** A process that opens the fifo and writes what it is given: node's own open would block. */
const writing = (fifo: string) =>
  spawn('sh', ['-c', 'exec cat >"$0"', fifo], { stdio: ['pipe', 'ignore', 'ignore'] });

const signalName = (number: number) =>
  Object.entries(constants.signals).find(([, value]) => value === number)?.[0] ?? `${number}`;
