import type { Databases } from './databases.js';
import type { Position } from './journal-record.js';
import { decode, encode } from './records.js';

/** How far the databases have what the journals have; stored in the commit that brings them there. */
export interface JournalState {
  /** Of whoever opened the store for writing. */
  epoch: number;
  /** The first record of its journal that they may not have. */
  position: Position;
  /** By epoch, of those whose journals the databases may not have all of. */
  salts: ReadonlyMap<number, Buffer>;
}

type Stored = [epoch: number, round: number, number: number, salts: [number, Buffer][]];

export const atStart: Position = { round: 0, number: 0 };

const key = Buffer.from('journal');

export function readJournalState(meta: Databases['meta']): JournalState {
  const bytes = meta.get(key);
  if (!bytes) return { epoch: 0, position: atStart, salts: new Map() };
  const [epoch, round, number, salts] = decode<Stored>(bytes);
  return { epoch, position: { round, number }, salts: new Map(salts) };
}

/** Within a transaction. */
export function writeJournalState(meta: Databases['meta'], state: JournalState): void {
  const { epoch, position, salts } = state;
  const { round, number } = position;
  void meta.put(key, encode([epoch, round, number, [...salts]] satisfies Stored));
}
