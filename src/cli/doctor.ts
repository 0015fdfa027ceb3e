import { mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Command } from 'commander';
import type { Config } from '../config/settings.js';
import { errorMessage } from '../errors.js';
import type { IsolationLevel } from '../isolation.js';
import type { Layer } from '../worker/layers.js';
import type { Runtime } from '../worker/runtimes/runtime.js';
import { configOf } from './config.js';
import { exitCodes } from './exit-codes.js';
import { addSettings } from './options.js';
import { columns, type Paint, painter, wrap } from './paint.js';
import { defaultWorkers } from './workers.js';

/** What `scriptd doctor --json` prints. */
interface Diagnosis {
  level: IsolationLevel;
  /** The configured floor, and whether this host meets it. */
  floor: Config['isolation'];
  met: boolean;
  layers: Layer[];
  runtimes: RuntimeFinding[];
}

/** How scripts of one type would be executed here. */
interface RuntimeFinding {
  type: string;
  /** Absolute path; absent when there is none. */
  file?: string;
  /** Folders that it lives in, which its scripts see. */
  prefixes?: readonly string[];
  /** How it is kept warm: `fork server`, `prepared interpreter`, `prepared sandbox`. */
  warm?: string;
  /** Why it cannot be executed, with the cure. */
  missing?: string;
}

export function addDoctorCommand(program: Command): void {
  const command = program
    .command('doctor')
    .description('what this host can isolate, what is missing, and what would bring it')
    .option('--json', 'as JSON');
  addSettings(command, ['workers', 'isolation']);
  command.action(async () => {
    const diagnosis = await diagnose(configOf(command));
    const text = command.opts<{ json?: boolean }>().json
      ? `${JSON.stringify(diagnosis, undefined, 2)}\n`
      : report(diagnosis, painter(process.stdout));
    process.stdout.write(text);
    process.exitCode = diagnosis.met ? exitCodes.done : exitCodes.config;
  });
}

async function diagnose(config: Config): Promise<Diagnosis> {
  const { findCgroups } = await import('../worker/cgroup/find.js');
  const { missingFor, strongestOf, tryLayers } = await import('../worker/layers.js');
  const cgroups = findCgroups(`scriptd-doctor-${process.pid}`);
  let layers: Layer[];
  try {
    layers = tryLayers(cgroups);
  } finally {
    if ('version' in cgroups) cgroups.close();
  }
  const floor = config.isolation;
  const met = floor === 'auto' || missingFor(floor, layers).length === 0;
  const runtimes = await findRuntimes(config);
  return { level: strongestOf(layers), floor, met, layers, runtimes };
}

async function findRuntimes(config: Config): Promise<RuntimeFinding[]> {
  const { resolveRuntime } = await import('../worker/runtimes/registry.js');
  const configured = Object.keys(config.workers);
  const types =
    configured.length > 0 ? configured : Object.keys(defaultWorkers(availableParallelism()));
  // What is made for a runtime goes there.
  const folder = mkdtempSync(join(tmpdir(), 'scriptd-doctor-'));
  try {
    return await Promise.all(
      types.map(async (type): Promise<RuntimeFinding> => {
        try {
          const definition = config.runtimes[type] ?? {};
          return finding(type, await resolveRuntime(type, definition, join(folder, type)));
        } catch (error) {
          return { type, missing: errorMessage(error).split('\n')[0] ?? '' };
        }
      }),
    );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function finding(type: string, runtime: Runtime): RuntimeFinding {
  if (runtime.kind === 'noop') return { type, warm: 'no process' };
  const { file, prefixes, bootstrap } = runtime;
  const interpreter = bootstrap?.forkServer ? 'fork server' : 'prepared interpreter';
  return { type, file, prefixes, warm: bootstrap ? interpreter : 'prepared sandbox' };
}

const nameColumns = 20;
const markColumns = 5;

function report({ level, floor, met, layers, runtimes }: Diagnosis, paint: Paint): string {
  const lines = [paint('strong', 'Layers'), ...layers.flatMap((layer) => layerLines(layer, paint))];
  lines.push('', paint('strong', 'Types'));
  lines.push(...runtimes.flatMap((finding) => runtimeLines(finding, paint)));
  lines.push('', `this host can do: ${paint(level === 'strict' ? 'good' : 'aside', level)}`);
  if (!met) {
    lines.push(`isolation is ${paint('bad', floor)} here, so that no worker will start:`);
    lines.push('see the cures above, or set isolation to a level that this host can do');
  }
  return `${lines.join('\n')}\n`;
}

function layerLines(layer: Layer, paint: Paint): string[] {
  const { name, available, detail, cure } = layer;
  const isNeeded = layer.neededBy.length > 0;
  const mark = available ? paint('good', 'yes') : paint(isNeeded ? 'bad' : 'aside', 'no ');
  return [
    ...entry(name, mark, detail),
    ...(cure === undefined ? [] : entry('', '   ', `cure: ${cure}`)),
  ];
}

function runtimeLines({ type, file, prefixes, warm, missing }: RuntimeFinding, paint: Paint) {
  if (missing !== undefined) return entry(type, paint('bad', 'no '), missing);
  const others = (prefixes ?? []).filter((path, index, all) => all.indexOf(path) === index);
  const home = others.length > 0 ? `, lives in ${others.join(' and ')}` : '';
  return entry(type, paint('good', 'yes'), `${file ?? 'the worker itself'}${home}; ${warm}`);
}

/** A name, a mark of three columns, and a text that is wrapped beside them. */
function entry(name: string, mark: string, text: string): string[] {
  const [first = '', ...rest] = wrap(text, columns - nameColumns - markColumns - 2);
  const indent = ' '.repeat(2 + nameColumns + markColumns);
  return [
    `  ${name.padEnd(nameColumns)}${mark}  ${first}`,
    ...rest.map((line) => `${indent}${line}`),
  ];
}
