import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Command } from 'commander';
import type { Config } from '../config/settings.js';
import { ScriptdError } from '../errors.js';
import type { IsolationReport } from '../isolation.js';
import { createLog } from '../log.js';
import type { Driver as DriverType } from '../selftest/driver.js';
import type { RowReport } from '../selftest/suite.js';
import { configOf } from './config.js';
import { exitCodes } from './exit-codes.js';
import { addSettings } from './options.js';
import { columns, type Paint, painter } from './paint.js';

export function addSelftestCommand(program: Command): void {
  const command = program
    .command('selftest')
    .description('runs hostile scripts in a worker of its own here, and prints what was blocked')
    .option('--json', 'as JSON');
  addSettings(command, ['type', 'isolation', 'firstScriptId']);
  command.action(async () => {
    const config = configOf(command);
    const json = command.opts<{ json?: boolean }>().json ?? false;
    const passed = await selftest(config, json ? new JsonPrinter() : new TextPrinter());
    process.exitCode = passed ? exitCodes.done : exitCodes.failed;
  });
}

interface Printer {
  begin(isolation: IsolationReport, rows: number): void;
  running(name: string, index: number): void;
  row(report: RowReport): void;
  end(summary: Summary): void;
}

interface Summary {
  blocked: number;
  contained: number;
  notPromised: number;
  gotThrough: number;
  failed: number;
}

/** @returns true when nothing got through. @throws ScriptdError of the worker's start */
async function selftest(config: Config, printer: Printer): Promise<boolean> {
  const { startWorker } = await import('../worker/worker.js');
  const { Driver } = await import('../selftest/driver.js');
  const { setBait } = await import('../selftest/bait.js');
  const { hostileRows, runSuite, suiteSlots } = await import('../selftest/suite.js');
  const { type, isolation, firstScriptId } = config;
  const runtime = pythonRuntime(config);
  const folder = mkdtempSync(join(tmpdir(), 'scriptd-selftest-'));
  const wireToken = randomBytes(32);
  const name = `selftest-${process.pid}`;
  const workDirectory = join(folder, 'work');
  const listen = `unix:${join(folder, 'worker.sock')}`;
  const log = createLog('selftest', 'error');
  try {
    const worker = await startWorker({
      ...{ name, type, slots: suiteSlots, listen, wireToken, workDirectory, log },
      ...{ isolation, firstScriptId, ...(runtime && { runtime }) },
    });
    const driver = await Driver.connect(worker.address, wireToken);
    const bait = await setBait(folder, join(folder, 'worker.sock'), process.pid);
    const { level } = worker.isolation;
    printer.begin(worker.isolation, hostileRows.length);
    const summary: Summary = { blocked: 0, contained: 0, notPromised: 0, gotThrough: 0, failed: 0 };
    const run = (task: Parameters<DriverType['run']>[0]) => driver.run(task);
    let index = 0;
    printer.running(hostileRows[0]?.name ?? '', index);
    for await (const report of runSuite({
      ...{ name, workDirectory, level, preamble: bait.preamble, run },
      ready: () => worker.stats().ready,
    })) {
      summary[counters[report.verdict]]++;
      printer.row(report);
      index++;
      printer.running(hostileRows[index]?.name ?? '', index);
    }
    printer.end(summary);
    await bait.remove();
    driver.close();
    await worker.close();
    return summary.gotThrough === 0 && summary.failed === 0;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const counters = {
  blocked: 'blocked',
  contained: 'contained',
  'not promised': 'notPromised',
  'got through': 'gotThrough',
  failed: 'failed',
} as const satisfies Record<RowReport['verdict'], keyof Summary>;

/** The configured runtime of the type, which must be Python's: the scripts are. */
function pythonRuntime({ type, runtimes }: Config): Config['runtimes'][string] | undefined {
  const runtime = runtimes[type];
  const kind = runtime?.kind ?? (runtime?.command ? 'command' : type);
  if (kind === 'python') return runtime;
  throw new ScriptdError(
    'BAD_CONFIG',
    `the hostile scripts are written in Python: --type must name a type of kind python, not ${type}`,
  );
}

/** Widths of the columns beside the name. */
const verdictColumns = 14;
const timeColumns = 10;
const nameColumns = columns - verdictColumns - timeColumns;

class TextPrinter implements Printer {
  readonly #paint: Paint = painter(process.stdout);
  readonly #isTerminal = process.stdout.isTTY === true;
  #rows = 0;

  begin({ level, layers }: IsolationReport, rows: number): void {
    this.#rows = rows;
    this.#line(`isolation ${this.#paint('strong', level)}: ${layers.join(', ')}`);
    this.#line('');
  }

  running(name: string, index: number): void {
    if (!this.#isTerminal || index >= this.#rows) return;
    const text = `${index + 1}/${this.#rows} ${name}`.slice(0, columns - 1);
    process.stdout.write(`\r\x1b[K${this.#paint('quiet', text)}`);
  }

  row({ name, verdict, wallMs, lateMs, problems }: RowReport): void {
    const isBad = verdict === 'got through' || verdict === 'failed';
    const tone = isBad ? 'bad' : verdict === 'not promised' ? 'aside' : 'good';
    const shown = name.length < nameColumns ? name : `${name.slice(0, nameColumns - 2)}…`;
    const time = wallMs === undefined ? '' : `${Math.round(wallMs)} ms`;
    const mark = this.#paint(tone, verdict.padEnd(verdictColumns));
    this.#line(`${mark}${shown.padEnd(nameColumns)}${time.padStart(timeColumns)}`);
    const indent = ' '.repeat(verdictColumns);
    if (lateMs !== undefined) this.#line(`${indent}ended ${lateMs.toFixed(1)} ms after its limit`);
    for (const problem of problems) this.#line(`${indent}${this.#paint('bad', problem)}`);
  }

  end({ blocked, contained, notPromised, gotThrough, failed }: Summary): void {
    this.#line('');
    const through = this.#paint(gotThrough > 0 ? 'bad' : 'good', `${gotThrough} got through`);
    const less = notPromised > 0 ? `, ${notPromised} not promised at this level` : '';
    const broken = failed > 0 ? `, ${failed} could not be run` : '';
    this.#line(`${blocked} blocked, ${contained} contained, ${through}${broken}${less}`);
  }

  #line(text: string): void {
    process.stdout.write(`${this.#isTerminal ? '\r\x1b[K' : ''}${text}\n`);
  }
}

class JsonPrinter implements Printer {
  #isolation: IsolationReport | undefined;
  readonly #rows: RowReport[] = [];

  begin(isolation: IsolationReport): void {
    this.#isolation = isolation;
  }

  running(): void {
    // Who reads JSON waits for the end.
  }

  row(report: RowReport): void {
    this.#rows.push(report);
  }

  end(summary: Summary): void {
    const value = { isolation: this.#isolation, summary, rows: this.#rows };
    process.stdout.write(`${JSON.stringify(value, undefined, 2)}\n`);
  }
}
