import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { errorCode, ScriptdError } from '../../errors.js';
import {
  blockBytes,
  changesOf,
  type Position,
  readRecord,
  type StoredChange,
} from './journal-record.js';
import { atStart, type JournalState } from './journal-state.js';

/** What earlier processes left of their journals. */
export interface Left {
  /** What each commit changed that the databases may not have, in order. */
  commits: Iterable<StoredChange>[];
  /** How many changes these are. */
  size: number;
  /** Of these changes. */
  bytes: number;
  /** Of everything that is there. */
  paths: string[];
}

/** Of one file: those of the round that it was last used for. */
interface Round {
  epoch: number;
  round: number;
  bodies: Buffer[];
}

const namePattern = /^journal-(\d+)-\d$/;

export function fileNameOf(epoch: number, number: number): string {
  return `journal-${epoch}-${number}`;
}

/**
 * Reads the journals in a store's folder, which must be there.
 *
 * @throws ScriptdError STORE_CORRUPT: one is damaged before its end
 */
export function leftIn(directory: string, state: JournalState): Left {
  const rounds: Round[] = [];
  const paths: string[] = [];
  for (const entry of readdirSync(directory, { withFileTypes: true })) {
    const { name } = entry;
    const epoch = Number(namePattern.exec(name)?.[1]);
    if (!entry.isFile() || Number.isNaN(epoch)) continue;
    const path = join(directory, name);
    paths.push(path);
    const salt = state.salts.get(epoch);
    if (!salt) continue;
    const bytes = bytesOf(path);
    if (!bytes) continue;
    const since = epoch === state.epoch ? state.position : atStart;
    rounds.push({ epoch, ...roundIn(bytes, { path, salt, since }) });
  }
  rounds.sort((a, b) => a.epoch - b.epoch || a.round - b.round);
  const bodies = rounds.flatMap((round) => round.bodies);
  const bytes = bodies.reduce((sum, body) => sum + body.length, 0);
  const size = bodies.reduce((sum, body) => sum + [...changesOf(body)].length, 0);
  return { commits: bodies.map(changesOf), size, bytes, paths };
}

export function removeFiles(paths: readonly string[]): void {
  for (const path of paths) rmSync(path, { force: true });
}

/** Undefined: whoever wrote it has removed it since, once the databases had everything. */
function bytesOf(path: string): Buffer | undefined {
  try {
    return readFileSync(path);
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** @param since the databases have what stands before it */
function roundIn(
  bytes: Buffer,
  { path, salt, since }: { path: string; salt: Buffer; since: Position },
): Omit<Round, 'epoch'> {
  const round = readRecord(bytes, 0, salt)?.round ?? 0;
  const bodies: Buffer[] = [];
  let end = 0;
  for (;;) {
    const record = readRecord(bytes, end, salt);
    if (record?.round !== round || record.number !== bodies.length) break;
    bodies.push(record.body);
    end = record.end;
  }
  requireEnd(bytes, { path, salt, end, newest: Math.max(round, since.round) });
  if (round < since.round) return { round, bodies: [] };
  return { round, bodies: round === since.round ? bodies.slice(since.number) : bodies };
}

/**
 * One record is written at a time: only the last may not be whole, unless nothing was flushed. What
 * stands after it is of rounds before.
 */
function requireEnd(
  bytes: Buffer,
  { path, salt, end, newest }: { path: string; salt: Buffer; end: number; newest: number },
): void {
  for (let start = end; start < bytes.length; start += blockBytes) {
    const record = readRecord(bytes, start, salt);
    if (!record?.flushed || record.round < newest) continue;
    // All of it: what the other file has may build on what is lost.
    const message =
      `${path} is damaged at byte ${end}, and commits stand after that: bring back a copy of the ` +
      'store, or move all files of the journal away (journal-*) to go on without what only they have';
    throw new ScriptdError('STORE_CORRUPT', message);
  }
}
