import { type ChildProcess, execFileSync, type SpawnOptions, spawn } from 'node:child_process';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import { encodeTaskFrame } from '../../src/worker/task-frame.js';

export const runtimesFolder = join(import.meta.dirname, '../../../runtimes');

/** What a script is given, whichever way it is run. */
export interface Script {
  code: string | Buffer;
  args?: string[];
  env?: Record<string, string>;
  files?: Record<string, string>;
  stdin?: string;
  inspect?: boolean;
  limits?: [resource: number, soft: number, hard: number][];
}

export interface Ended {
  /** Exit code, or the signal's name. */
  end: number | string;
  stdout: string;
  stderr: string;
  /** Content of .scriptd-exception.json. */
  report: string | undefined;
}

export const environment = (env: Record<string, string> = {}): Record<string, string> => ({
  PATH: '/usr/bin:/bin',
  LANG: 'C.UTF-8',
  PYTHONUTF8: '1',
  PYTHONDONTWRITEBYTECODE: '1',
  PYTHONUNBUFFERED: '1',
  ...env,
});

/** A folder for one run, removed when it is over. */
export async function inFolder<T>(action: (folder: string) => Promise<T>): Promise<T> {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'scriptd-runtimes-')));
  try {
    return await action(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

export const frameOf = (name: string, script: Script): Uint8Array =>
  encodeTaskFrame({
    inspect: script.inspect ?? false,
    argv: [name, ...(script.args ?? [])],
    env: Object.entries(environment(script.env)).map(([key, value]) => `${key}=${value}`),
    limits: script.limits ?? [],
    files: [
      { name, content: Buffer.from(script.code as string) },
      ...Object.entries(script.files ?? {}).map(([file, content]) => ({
        name: file,
        content: Buffer.from(content),
      })),
    ],
  });

/**
 * Starts a command with exactly these variables. Through env(1): the test runner adds some of its own
 * to every process that a test starts.
 */
export function spawnWith(
  env: Record<string, string>,
  command: readonly string[],
  options: SpawnOptions,
): ChildProcess {
  const entries = Object.entries(env).map(([name, value]) => `${name}=${value}`);
  return spawn('/usr/bin/env', ['-i', ...entries, ...command], options);
}

/** `interpreter script`, without anything of ours: what everything else is compared with. */
export function runPlainly(command: string[], name: string, script: Script): Promise<Ended> {
  return inFolder(async (folder) => {
    for (const [file, content] of [[name, script.code], ...Object.entries(script.files ?? {})]) {
      mkdirSync(dirname(join(folder, file as string)), { recursive: true });
      writeFileSync(join(folder, file as string), content as string);
    }
    const words = [...command, name, ...(script.args ?? [])];
    const child = spawnWith(environment(script.env), words, { cwd: folder });
    return ended(child, folder, script.stdin);
  });
}

/** A prepared process that is given its task when it waits for it, or at once. */
export function runPrepared(
  command: string[],
  name: string,
  script: Script,
  { atOnce = false, frame = frameOf(name, script) } = {},
): Promise<Ended> {
  return inFolder(async (folder) => {
    const child = spawnWith({ ...environment(), TO_BE_GONE: 'x' }, command, {
      cwd: folder,
      stdio: ['pipe', 'pipe', 'pipe', 'pipe'],
    });
    const result = ended(child, folder, script.stdin);
    if (!atOnce) await untilItReads(child.pid as number);
    const control = child.stdio[3] as NodeJS.WritableStream;
    control.on('error', () => undefined); // it may be gone, which its exit code tells
    control.end(frame);
    return await result;
  });
}

/** Until a process is blocked in read(2): only then it is known to be ready. */
export async function untilItReads(pid: number): Promise<void> {
  const read = process.arch === 'x64' ? '0' : '63';
  while (existsSync(`/proc/${pid}`)) {
    const call = readFileSync(`/proc/${pid}/syscall`, 'utf8').split(' ');
    if (call[0] === read && Number(call[1]) >= 3) return;
    await delay(5);
  }
}

async function ended(child: ChildProcess, folder: string, stdin = ''): Promise<Ended> {
  child.stdin?.on('error', () => undefined); // a script need not read it
  child.stdin?.end(stdin);
  const closed = new Promise<number | string>((done) => {
    child.on('close', (code, signal) => done(code ?? signal ?? ''));
  });
  const [stdout, stderr, end] = await Promise.all([
    buffer(child.stdout as NodeJS.ReadableStream),
    buffer(child.stderr as NodeJS.ReadableStream),
    closed,
  ]);
  return finish(folder, end, stdout, stderr);
}

/** What differs from run to run has no place in a comparison. */
export function finish(folder: string, end: number | string, stdout: Buffer, stderr: Buffer) {
  const report = join(folder, '.scriptd-exception.json');
  return {
    end,
    stdout: comparable(stdout, folder),
    stderr: comparable(stderr, folder),
    report: isFile(report) ? readFileSync(report, 'utf8') : undefined,
  };
}

const isFile = (path: string) => lstatSync(path, { throwIfNoEntry: false })?.isFile() ?? false;

const comparable = (bytes: Buffer, folder: string) =>
  bytes
    .toString('latin1')
    .replaceAll(folder, 'DIR')
    .replace(/0x[0-9a-f]{6,}/g, 'ADDRESS');

/** Compiles the bootstrap for an interpreter; the folder that boot.pyc is in. */
export function compileBootstrap(python: string, folder: string): string {
  const target = join(folder, 'bootstrap');
  mkdirSync(target);
  execFileSync(python, [join(runtimesFolder, 'python/boot.py'), '--compile', target]);
  return join(target, 'boot.pyc');
}
