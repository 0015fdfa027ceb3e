import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { packageRoot } from '../../src/native.js';

const run = promisify(execFile);
const source = join(packageRoot, 'bench', 'guard', 'single-step.c');
const program = fileURLToPath(new URL('operations.js', import.meta.url));

/**
 * One thread, the same seeds, and no collection on its own while there is anything to count: so the
 * same code executes the same instructions.
 */
const nodeFlags = [
  ...['--expose-gc', '--predictable', '--single-threaded', '--hash-seed=1', '--random-seed=1'],
  ...['--max-semi-space-size=64', '--min-semi-space-size=64'],
];
const runMsMax = 240_000;
const warmUpsLeast = 10_000;

/** What an operation costs. */
export interface Cost {
  name: string;
  instructions: number;
  allocatedBytes: number;
}

/**
 * Counts the instructions and the allocated bytes of the operations of operations.ts, in a process
 * that steps through them one by one.
 *
 * @param moreWarmUps of each operation before it is counted: how far its code is compiled by then, and
 *   with what it was inlined, is a part of the noise
 * @throws Error without a C compiler
 */
export async function countInstructions(moreWarmUps: number): Promise<Cost[]> {
  const folder = mkdtempSync(join(tmpdir(), 'scriptd-guard-'));
  try {
    const library = join(folder, 'single-step.so');
    await run('cc', [
      '-O2',
      '-Wall',
      '-Wextra',
      '-Werror',
      '-shared',
      '-fPIC',
      '-o',
      library,
      source,
    ]);
    const warmUps = `${warmUpsLeast + moreWarmUps}`;
    const { NODE_OPTIONS: _, ...env } = process.env;
    const { stdout } = await run(process.execPath, [...nodeFlags, program, warmUps], {
      env: { ...env, LD_PRELOAD: library },
      timeout: runMsMax,
    });
    return readCosts(stdout);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

interface Heard {
  name: string;
  allocatedBytes: number;
  counts: number[];
}

/**
 * Reads lines `operation BYTES NAME`, each followed by lines `instructions N`. Those of
 * the operation `nothing` are what counting itself takes.
 */
export function readCosts(output: string): Cost[] {
  const heard: Heard[] = [];
  for (const line of output.trim().split('\n')) {
    const [kind, first = '', ...name] = line.split(' ');
    if (kind === 'instructions') heard.at(-1)?.counts.push(Number(first));
    if (kind !== 'operation') continue;
    heard.push({ name: name.join(' '), allocatedBytes: Number(first), counts: [] });
  }
  const [nothing, ...others] = heard;
  if (nothing?.name !== 'nothing') throw new Error(`no count of nothing: ${output.slice(0, 200)}`);
  const own = Math.min(...nothing.counts);
  return others.map(({ name, allocatedBytes, counts }) => {
    return { name, allocatedBytes, instructions: Math.min(...counts) - own };
  });
}
