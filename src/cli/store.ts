import { createReadStream, createWriteStream } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Command } from 'commander';
import { systemClock } from '../clock.js';
import { ScriptdError } from '../errors.js';
import { parseAddress } from '../poll/address.js';
import { answersAt } from './answers-at.js';
import { configOf } from './config.js';
import { exitCodes } from './exit-codes.js';
import { layoutOf } from './layout.js';
import { addSettings } from './options.js';
import { ProgressLine } from './progress.js';
import { openedForReading } from './reading.js';

/** Of a store that is not whole, so many problems are printed. */
const problemsShownMax = 100;

export function addStoreCommand(program: Command): void {
  const store = program.command('store').description('the store of tasks: check, export, import');
  addCheck(store);
  addExport(store);
  addImport(store);
}

function addCheck(store: Command): void {
  const command = store
    .command('check')
    .description('looks whether everything in the store is whole; also while scriptd runs')
    .option('--json', 'print the report as JSON');
  addSettings(command, []).action(async () => {
    const { checkStore } = await import('../store/lmdb/check.js');
    const environment = await openedForReading(configOf(command));
    const progress = new ProgressLine('checking');
    const report = checkStore(environment, ({ done, total }) => progress.show(done, total));
    progress.end();
    await environment.root.close();
    const { tasks, documents, problems } = report;
    if (command.opts<{ json?: true }>().json) {
      process.stdout.write(`${JSON.stringify(report)}\n`);
    } else {
      for (const problem of problems.slice(0, problemsShownMax)) {
        process.stdout.write(`${problem}\n`);
      }
      const verdict = problems.length === 0 ? 'whole' : `${problems.length} problems`;
      process.stdout.write(`${tasks} tasks, ${documents} documents: ${verdict}\n`);
    }
    if (problems.length > 0) process.exitCode = exitCodes.failed;
  });
}

function addExport(store: Command): void {
  const command = store
    .command('export')
    .description('writes everything that the store has as lines of JSON; also while scriptd runs')
    .argument('[file]', 'a new file, instead of stdout');
  addSettings(command, []).action(async (file: string | undefined) => {
    const { exportLines } = await import('../store/lmdb/transfer.js');
    const environment = await openedForReading(configOf(command));
    const progress = new ProgressLine('exporting');
    const lines = exportLines(environment, ({ done, total }) => progress.show(done, total));
    // What is there already is not overwritten.
    const target = file === undefined ? process.stdout : createWriteStream(file, { flags: 'wx' });
    await pipeline(Readable.from(lines), target, { end: file !== undefined });
    progress.end();
    await environment.root.close();
  });
}

function addImport(store: Command): void {
  const command = store
    .command('import')
    .description('adds what an export has to the store of a scriptd that does not run')
    .argument('[file]', 'an export, instead of stdin');
  addSettings(command, []).action(async (file: string | undefined) => {
    const { openEnvironment } = await import('../store/lmdb/environment.js');
    const { Commits } = await import('../store/lmdb/commits.js');
    const { importLines } = await import('../store/lmdb/transfer.js');
    const layout = layoutOf(configOf(command));
    await refuseRunning(layout.controllerAddress);
    const environment = openEnvironment({ directory: layout.storeDir, durability: 'fsync' });
    const input: Readable = file === undefined ? process.stdin : createReadStream(file);
    const progress = new ProgressLine('importing, line');
    const none = () => undefined;
    const commits = new Commits(systemClock, {
      environment,
      onTaken: none,
      onJournalFailed: none,
    });
    try {
      const count = await importLines(commits, linesOf(input), (done) => progress.show(done));
      progress.end();
      process.stdout.write(`${count.tasks} tasks, ${count.documents} documents\n`);
    } finally {
      progress.end();
      await commits.close();
      await environment.root.close();
    }
  });
}

/** Lines end with \n alone: node:readline ends them at U+2028 and U+2029 too, which JSON may have. */
async function* linesOf(input: Readable): AsyncGenerator<string> {
  /** Of the line that has no end yet. */
  let parts: string[] = [];
  for await (const chunk of input.setEncoding('utf8')) {
    const [first = '', ...more] = String(chunk).split('\n');
    parts.push(first);
    for (const piece of more) {
      yield parts.join('');
      parts = [piece];
    }
  }
  const last = parts.join('');
  if (last !== '') yield last;
}

/** @throws ScriptdError STORE_IN_USE: a controller answers where this installation's would */
async function refuseRunning(address: string): Promise<void> {
  if (!(await answersAt(parseAddress(address)))) return;
  throw new ScriptdError('STORE_IN_USE', `a controller runs at ${address}: stop it first`);
}
