import type { Command } from 'commander';
import type { Scriptd, Task, TaskSpec } from '../client/index.js';
import { errorCode, ScriptdError } from '../errors.js';
import { exitCodes } from './exit-codes.js';
import { follow, writeAll } from './follow.js';
import { onInterruption } from './interruption.js';
import { addServiceOptions, clientFor, readerLeft, type ServiceOptions } from './service-client.js';
import { type SubmissionOptions, scriptOf, specOf, stdinOf } from './submission.js';
import { taskExitCode, verdictText } from './task-exit.js';
import { addTaskOptions } from './task-options.js';
import { visible } from './visible.js';

interface Options extends ServiceOptions, SubmissionOptions {
  detach?: true;
  json?: true;
  stdin: boolean;
  batch?: string;
  out?: string;
}

/** 128 and SIGINT: what a shell shows of a program that Ctrl-C ended. */
const interrupted = 130;

export function addSubmitCommand(program: Command): void {
  const command = program
    .command('submit')
    .description('runs a script as if it ran here: its input, output and exit code')
    .argument('[file]', 'the script; - reads it from standard input')
    .argument('[args...]', 'arguments of the script, after --');
  addTaskOptions(command)
    .option('--delay <ms>', 'not before so long has passed')
    .option('--no-stdin', 'do not send standard input')
    .option('--detach', 'print the id, and leave it running')
    .option('--json', 'print the task as JSON; with --batch, a line for each script')
    .option('--batch <dir>', 'submit every script of a folder')
    .option('--out <dir>', 'with --batch: outputs and results go there');
  addServiceOptions(command).action(async (file: string | undefined, args: string[]) => {
    const options = command.opts<Options>();
    if (options.batch !== undefined) {
      const { submitBatch } = await import('./submit-batch.js');
      process.exitCode = await submitBatch({ ...options, batch: options.batch }, file);
      return;
    }
    if (options.out !== undefined) throw unfit('--out goes with --batch');
    if (file === undefined) throw unfit('name the script: scriptd submit FILE [-- ARGUMENT...]');
    process.exitCode = await submit(await specFor(file, args, options), options);
  });
}

function unfit(text: string): ScriptdError {
  return new ScriptdError('BAD_OPTION', text);
}

async function specFor(file: string, args: string[], options: Options): Promise<TaskSpec> {
  const script = scriptOf(file);
  const stdin = options.stdin && file !== '-' ? await stdinOf() : undefined;
  return {
    ...script,
    ...specOf(options),
    ...(args.length > 0 && { args }),
    ...(stdin !== undefined && { stdin }),
  };
}

async function submit(spec: TaskSpec, options: Options): Promise<number> {
  const task = await clientFor(options).submit(spec);
  if (options.detach) {
    process.stdout.write(`${options.json ? JSON.stringify(task) : task.id}\n`);
    return exitCodes.done;
  }
  // What has begun is worth more patience than what could not begin.
  return new Attended(clientFor(options, { retries: 8 }), task, options.json).exitCode();
}

/** A task whose caller is there: it ends when they do. */
class Attended {
  readonly #client: Scriptd;
  readonly #task: Task;
  readonly #asJson: boolean;
  /** Whoever read its output has left. */
  readonly #readerLeft = new AbortController();
  #cancelling: Promise<unknown> | undefined;

  constructor(client: Scriptd, task: Task, asJson = false) {
    this.#client = client;
    this.#task = task;
    this.#asJson = asJson;
  }

  async exitCode(): Promise<number> {
    const uninterrupted = onInterruption(() => this.#interrupt());
    for (const stream of [process.stdout, process.stderr]) {
      stream.removeAllListeners('error').on('error', (error) => this.#readerLeft.abort(error));
    }
    try {
      return await this.#followed();
    } catch (error) {
      if (errorCode(error) !== 'EPIPE') throw error;
      await this.#cancel();
      return readerLeft;
    } finally {
      uninterrupted();
    }
  }

  async #followed(): Promise<number> {
    const client = this.#client;
    const { id } = this.#task;
    const pass = (stream: NodeJS.WriteStream) =>
      this.#asJson
        ? async () => undefined
        : (bytes: Uint8Array): Promise<void> => writeAll(stream, bytes);
    const sinks = { stdout: pass(process.stdout), stderr: pass(process.stderr), notice };
    const task = await follow(client, id, sinks, this.#readerLeft.signal);
    await this.#cancelling;
    if (this.#asJson) process.stdout.write(`${JSON.stringify(await client.get(id))}\n`);
    const verdict = verdictText(task);
    if (verdict !== undefined) notice(verdict);
    return taskExitCode(task);
  }

  /** The first time it cancels, the second time it leaves. */
  #interrupt(): void {
    if (this.#cancelling) {
      notice(`left alone: scriptd get ${this.#task.id} says what becomes of it`);
      process.exit(interrupted);
    }
    notice(`cancelling ${this.#task.id}; once more leaves it alone`);
    this.#cancelling = this.#cancel().catch((error: unknown) => {
      notice(`it could not be cancelled: ${visible(String(error))}`);
    });
  }

  async #cancel(): Promise<void> {
    try {
      await this.#client.cancel(this.#task.id);
    } catch (error) {
      // It was quicker.
      if (errorCode(error) !== 'ALREADY_FINISHED') throw error;
    }
  }
}

function notice(text: string): void {
  process.stderr.write(`scriptd: ${visible(text)}\n`);
}
