import { randomBytes } from 'node:crypto';
import { type Command, InvalidArgumentError } from 'commander';
import type { Scriptd } from '../client/index.js';
import { ScriptdError } from '../errors.js';
import { interrupted, runAttended } from './bench/attended.js';
import { countText, givenText, tasksText } from './bench/figures.js';
import { leanFetch } from './bench/lean-fetch.js';
import { benchLimits } from './bench/limits.js';
import { Live } from './bench/live.js';
import { Load, type LoadOptions } from './bench/load.js';
import { reportLines } from './bench/report.js';
import { jsonOf, type Result } from './bench/result.js';
import { type Subject, type SubjectOptions, subjectOf } from './bench/subject.js';
import { Tally } from './bench/tally.js';
import { exitCodes } from './exit-codes.js';
import { columns as columnsOfPage, type Paint, painter } from './paint.js';
import { addServiceOptions, clientFor, type ServiceOptions } from './service-client.js';
import { spanMs } from './since.js';
import { addTaskOptions } from './task-options.js';
import { visible } from './visible.js';
import { wholeNumber } from './whole-number.js';

interface Options extends ServiceOptions, SubjectOptions {
  tasks?: number;
  for?: number;
  clients?: number;
  batch?: number;
  rate?: number;
  warmUp?: number;
  json?: true;
}

export function addBenchCommand(program: Command): void {
  const { tasksDefault, forMsDefault, clientsDefault, clientsDefaultAtRate } = benchLimits;
  const { tasksMax, clientsMax, batchMax, warmUpDefault } = benchLimits;
  const command = program
    .command('bench')
    .description('submits a task again and again, and shows how fast, and where the time goes')
    .argument('[file]', 'the script; without it, and without --code, the smallest there is');
  const ends = `(without both, ${countText(tasksDefault)} or ${givenText(forMsDefault)})`;
  addTaskOptions(command.option('--code <text>', 'the script itself'))
    .option('--tasks <number>', `so many ${ends}`, wholeNumber(1, tasksMax))
    .option('--for <duration>', 'for so long, e.g. 30s or 5m; with --tasks, the first', duration)
    .option(
      '--clients <number>',
      `requests in flight (${clientsDefault}; with --rate ${clientsDefaultAtRate})`,
      wholeNumber(1, clientsMax),
    )
    .option('--batch <number>', 'so many tasks in one request', wholeNumber(1, batchMax))
    .option('--rate <number>', 'tasks per second, whatever becomes of those before', rate)
    .option(
      '--warm-up <number>',
      `tasks before, not counted (${warmUpDefault})`,
      wholeNumber(0, tasksMax),
    )
    .option('--json', 'print the figures as JSON');
  addServiceOptions(command).action(async (file: string | undefined) => {
    process.exitCode = await bench(file, command.opts<Options>());
  });
}

function duration(text: string): number {
  const ms = spanMs(text) ?? 0;
  if (ms > 0 && ms <= benchLimits.forMsMax) return ms;
  throw new InvalidArgumentError('Write 30s, 5m or 2h; at most 7d.');
}

function rate(text: string): number {
  const perSecond = /^\d{1,6}(\.\d{1,3})?$/.test(text) ? Number(text) : 0;
  if (perSecond > 0 && perSecond <= benchLimits.perSecondMax) return perSecond;
  throw new InvalidArgumentError(`It must be above 0, and at most ${benchLimits.perSecondMax}.`);
}

async function bench(file: string | undefined, options: Options): Promise<number> {
  let tally = new Tally();
  const client = clientFor(options, {
    retries: benchLimits.retries,
    fetch: leanFetch(),
    onRetry: (error, waitMs) => tally.retried(error, waitMs),
  });
  const runTag = `bench-${randomBytes(4).toString('hex')}`;
  // Whether a service is there is told soon; a restart in the middle is waited for.
  const subject = await subjectOf(clientFor(options), file, options, runTag);
  const load = loadOf(options, subject);
  const paint = painter(process.stdout);
  if (subject.warning !== undefined) say(subject.warning);
  if (!options.json) write(introduction(client.url, load, subject, paint));

  const warmUp = options.warmUp ?? benchLimits.warmUpDefault;
  const stage = { client, runTag };
  if (warmUp > 0) {
    const { isInterrupted, fault } = await run(stage, warmUpOf(load, warmUp), tally, 'warming up');
    if (fault) throw fault;
    if (isInterrupted) return unmeasured();
  }
  tally = new Tally();
  const { fault, ...measured } = await run(stage, load, tally, 'running');
  if (tally.tasks > 0) {
    const asked = { url: client.url, isUrlGiven: options.url !== undefined, load, warmUp, runTag };
    print({ ...asked, tally, ...measured }, options, paint);
  }
  if (fault) throw fault;
  return exitCodeOf(tally, measured.isInterrupted);
}

function loadOf(options: Options, { spec }: Subject): LoadOptions {
  const { tasks, for: forMs, batch, rate: perSecond } = options;
  const isOpen = tasks === undefined && forMs === undefined;
  const { tasksDefault, forMsDefault, clientsDefault, clientsDefaultAtRate } = benchLimits;
  const standard = perSecond === undefined ? clientsDefault : clientsDefaultAtRate;
  return {
    spec,
    pace: {
      tasks: isOpen ? tasksDefault : tasks,
      forMs: isOpen ? forMsDefault : forMs,
      perRequest: batch ?? 1,
      perSecond,
    },
    clients: options.clients ?? standard,
    isBatch: batch !== undefined,
  };
}

/** The same in small, spread over as many requests as there are clients, as soon as it goes. */
function warmUpOf(load: LoadOptions, tasks: number): LoadOptions {
  const perRequest = Math.min(load.pace.perRequest, Math.ceil(tasks / load.clients));
  return { ...load, pace: { tasks, perRequest } };
}

interface Stage {
  client: Scriptd;
  runTag: string;
}

async function run(stage: Stage, options: LoadOptions, tally: Tally, label: string) {
  const load = new Load(stage.client, options, tally);
  const live = new Live(label, tally, options.pace);
  const beganMs = performance.now();
  const cpuBefore = process.cpuUsage();
  try {
    const told = (text: string) => {
      live.clear();
      say(text);
    };
    const isInterrupted = await runAttended({ ...stage, load, say: told });
    const elapsedMs = performance.now() - beganMs;
    const cpu = process.cpuUsage(cpuBefore);
    const clientCpu = (cpu.user + cpu.system) / 1_000 / elapsedMs;
    const { fault, requestsMax } = load;
    return { isInterrupted, fault, requestsMax, elapsedMs, clientCpu };
  } finally {
    live.end();
  }
}

/** What is submitted, so that the figures can be read by somebody else. */
function introduction(url: string, load: LoadOptions, subject: Subject, paint: Paint): string[] {
  const { spec, pace, clients, isBatch } = load;
  const length = [
    ...(pace.tasks !== undefined ? [tasksText(pace.tasks)] : []),
    ...(pace.forMs !== undefined ? [givenText(pace.forMs)] : []),
  ].join(' or ');
  const kind = spec.type === undefined ? 'the type that fits' : `type ${visible(spec.type)}`;
  const each = isBatch ? `${tasksText(pace.perRequest)} in each` : 'a task in each';
  const speed =
    pace.perSecond === undefined ? '' : `${countText(pace.perSecond)} tasks/s, at most `;
  return [
    `${paint('strong', visible(url))}  ${kind}: ${visible(subject.what)}`,
    paint('quiet', `${length}, ${speed}${countText(clients)} requests in flight, ${each}`),
    '',
  ];
}

function print(result: Result, { json }: Options, paint: Paint): void {
  if (json) {
    write([JSON.stringify(jsonOf(result))]);
    return;
  }
  const { isTTY, columns = columnsOfPage } = process.stdout;
  const page = { width: isTTY ? columns : columnsOfPage, paint, hasBlocks: isTTY };
  write(reportLines(result, page));
}

function exitCodeOf({ tasks, succeeded }: Tally, isInterrupted: boolean): number {
  if (isInterrupted) return tasks === 0 ? unmeasured() : interrupted;
  if (succeeded === tasks && tasks > 0) return exitCodes.done;
  if (tasks === 0) throw new ScriptdError('BAD_OPTION', '--for was over before a task was due');
  say(`${countText(tasks - succeeded)} of ${tasksText(tasks)} did not succeed`);
  return exitCodes.failed;
}

function unmeasured(): number {
  say('interrupted before anything was measured');
  return interrupted;
}

function write(lines: readonly string[]): void {
  process.stdout.write(`${lines.join('\n')}\n`);
}

function say(text: string): void {
  process.stderr.write(`scriptd: ${visible(text)}\n`);
}
