import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { cpus, release, totalmem } from 'node:os';
import { join } from 'node:path';
import { packageRoot } from '../src/native.js';
import { goJudge } from './peers/go-judge.js';
import { isolate } from './peers/isolate.js';
import { pythonPath } from './programs.js';

/** What the figures were measured on. */
export function machine() {
  return {
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: cpus().length,
    memoryBytes: totalmem(),
    kernel: release(),
    node: process.version,
  };
}

/** Of everything that is measured against; undefined, and so not written, where it is not here. */
export function peerVersions(): Record<string, string | undefined> {
  return {
    'redis-server': saidBy('redis-server', '--version'),
    bullmq: packageVersion('bullmq'),
    fastify: packageVersion('fastify'),
    msgpackr: packageVersion('msgpackr'),
    bwrap: saidBy('bwrap', '--version'),
    python: saidBy(pythonPath(), '--version'),
    cc: saidBy('cc', '--version'),
    'go-judge': saidBy(goJudge.path(), '--version'),
    isolate: saidBy(isolate.path(), '--version'),
  };
}

/** The first line of what a program says; undefined when there is no such program. */
function saidBy(program: string | undefined, ...args: string[]): string | undefined {
  if (program === undefined) return undefined;
  const { stdout, error } = spawnSync(program, args, { encoding: 'utf8' });
  return error ? undefined : stdout.split('\n', 1)[0]?.trim();
}

function packageVersion(name: string): string {
  const file = join(packageRoot, 'node_modules', name, 'package.json');
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
}
