import { execFileSync } from 'node:child_process';
import { closeSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { Socket } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { packageRoot } from '../../src/native.js';
import { type ExitStatus, reap } from '../../src/worker/process-end.js';
import { startProcess } from '../../src/worker/sandbox.js';
import type { SpawnPlan, StartedProcess } from '../../src/worker/spawn-plan.js';

/** The module under test, for programs that the tests run in other processes. */
export const sandboxModule = join(packageRoot, 'dist', 'src', 'worker', 'sandbox.js');

/** This module, for the same. */
export const processModule = fileURLToPath(import.meta.url);

/** The interpreter itself: python3 in PATH may be a version manager's shell script. */
export const python = execFileSync('python3', ['-c', 'import sys; print(sys.executable)'], {
  encoding: 'utf8',
}).trim();

/** A plan for `sh -c script`; what `overrides` names replaces the default. */
export function shell(script: string, overrides: Partial<SpawnPlan> = {}): SpawnPlan {
  return {
    file: '/bin/sh',
    argv: ['sh', '-c', script],
    env: { PATH: '/usr/bin:/bin' },
    cwd: '/',
    stdin: 'null',
    limits: {},
    ...overrides,
  };
}

export interface Ended extends ExitStatus {
  stdout: string;
  stderr: string;
}

/** Starts a process, writes `input` to its stdin if that is a pipe, and waits until it has ended. */
export async function run(plan: SpawnPlan, input = ''): Promise<Ended> {
  return await finish(startProcess(plan), input);
}

/** Takes over a started process: drains and closes its descriptors, and reaps it. */
export async function finish(started: StartedProcess, input = ''): Promise<Ended> {
  const { pid, pidfd, stdin, stdout, stderr } = started;
  if (stdin !== undefined) new Socket({ fd: stdin, readable: false }).end(input);
  const texts = await Promise.all([drained(stdout), drained(stderr)]);
  closeSync(pidfd);
  return { ...(await ended(pid)), stdout: texts[0], stderr: texts[1] };
}

/** What comes out of a pipe or socket until every process that holds its other end is gone. */
export async function drainedBytes(fd: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of new Socket({ fd, writable: false })) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** The same as text. */
export async function drained(fd: number): Promise<string> {
  return (await drainedBytes(fd)).toString();
}

export function closeAll(...fds: number[]): void {
  for (const fd of fds) closeSync(fd);
}

/** Reaps `pid` once it has ended. A test that waits in vain is ended by tap's timeout. */
export async function ended(pid: number): Promise<ExitStatus> {
  for (;;) {
    const status = reap(pid);
    if (status !== undefined) return status;
    await sleep(1);
  }
}

/** Waits until `pid` no longer runs, for a process that is nobody's here to reap. */
export async function gone(pid: number): Promise<void> {
  while (!['', 'Z', 'X'].includes(processState(pid))) await sleep(1);
}

/** The pids of this process's children, zombies included. */
export function children(): number[] {
  return readdirSync('/proc')
    .map(Number)
    .filter((pid) => Number.isInteger(pid) && parentOf(pid) === process.pid);
}

/**
 * The descriptors that this process has open, without the one that the look takes and the network
 * namespaces that are made ahead, whose number changes at any time.
 */
export function openDescriptors(): string[] {
  return readdirSync('/proc/self/fd').filter((fd) => !linkOf(fd).startsWith('net:['));
}

function linkOf(fd: string): string {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`);
  } catch {
    return 'net:[]'; // it was closed while we looked: the look's own, or handed on
  }
}

/** The fields of /proc/PID/stat after the program's name: state, ppid, pgrp, session, tty. */
export function statFields(stat: string): string[] {
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
}

/** One letter, see proc(5); empty when there is no such process. */
function processState(pid: number): string {
  return statOf(pid)[0] ?? '';
}

function parentOf(pid: number): number {
  return Number(statOf(pid)[1]);
}

function statOf(pid: number): string[] {
  try {
    return statFields(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return []; // it ended while we looked
  }
}
