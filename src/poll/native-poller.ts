import { constants } from 'node:os';
import { loadAddon } from '../native.js';

/**
 * native/epoll/poller_binding.cc. Handles are named by token: generation * 2^32 + slot, an exact
 * number; a slot is used again with another generation. Numbers below zero are -errno. Methods that
 * open something throw an Error {errno, syscall}; all throw once the poller is closed.
 */
export interface NativePoller {
  /** Int32 rows of ROW.width: what `onBatch(rowCount)` reports. */
  readonly eventRows: ArrayBuffer;
  readonly readBuffer: ArrayBuffer;
  /** Int32 rows of WRITE_ROW.width, for flush(). */
  readonly writeRows: ArrayBuffer;
  readonly writeBuffer: ArrayBuffer;

  listenUnix(path: string, mode: number, backlog: number): number;
  listenTcp(ip: string, port: number, backlog: number): number;
  /** The token of the next connection, which is being read at once. */
  accept(listener: number): number;
  /** Waits to be writable: then takeError() says how it went. */
  connectUnix(path: string): number;
  connectTcp(ip: string, port: number): number;
  /** Takes ownership, and reads it at once if it is readable. */
  adopt(fd: number): { token: number; readable: boolean; writable: boolean; isSocket: boolean };
  openTimer(): number;
  armTimer(token: number, afterMs: number): number;
  disarmTimer(token: number): number;
  /** Takes ownership of the pidfd. */
  watchProcess(pidfd: number): number;
  setInterest(token: number, reading: boolean, writing: boolean): number;
  read(token: number, into: Uint8Array): number;
  /** One gathered write of at most pollLimits.writeChunksMax chunks. */
  write(token: number, chunks: Uint8Array[]): number;
  /** One write for each of the first `rowCount` write rows; fills in their results. */
  flush(rowCount: number): void;
  remove(token: number): void;
  shutdownWrite(token: number): number;
  /** Takes SO_ERROR: 0 or a positive errno. */
  takeError(token: number): number;
  localPort(token: number): number;
  peerCredentials(token: number): PeerCredentials;
  setNoDelay(token: number, on: boolean): number;
  setUserTimeout(token: number, ms: number): number;
  setKeepAlive(token: number, idleSeconds: number, intervalSeconds: number, probes: number): number;
  counters(): NativeCounters;
  close(): void;
}

/** Who is at the other end of a Unix socket. */
export interface PeerCredentials {
  pid: number;
  uid: number;
  gid: number;
}

export interface NativeCounters {
  /** Times that the kernel had events to give. */
  wakeUps: number;
  events: number;
  /** Events of handles that were gone by then. */
  staleEvents: number;
  /** System calls that read, and what they brought. */
  readCalls: number;
  readBytes: number;
  /** System calls that wrote, and what they took. */
  writeCalls: number;
  writtenBytes: number;
  openHandles: number;
}

interface EpollAddon {
  Poller: new (
    eventsMax: number,
    readBufferBytes: number,
    writeBufferBytes: number,
    onBatch: (rowCount: number) => void,
  ) => NativePoller;
  openProcess(pid: number): number;
  openPipe(): [readEnd: number, writeEnd: number];
}

export const epollAddon = loadAddon('epoll') as EpollAddon;

/** EventRow of native/epoll/poller.h, in 32-bit words. */
export const ROW = { slot: 0, generation: 1, events: 2, result: 3, offset: 4, width: 5 } as const;

/** WriteRow of native/epoll/poller.h, in 32-bit words. */
export const WRITE_ROW = {
  slot: 0,
  generation: 1,
  offset: 2,
  length: 3,
  result: 4,
  width: 5,
} as const;

/** In a row's result: nothing was read. */
export const NOT_READ = -0x8000_0000;

/** epoll_ctl(2). */
export const EPOLL = { in: 0x1, out: 0x4, err: 0x8, hup: 0x10 } as const;

export const { EAGAIN, EPIPE, ENOTCONN, EOPNOTSUPP, ENOTSOCK, ECONNABORTED, EPROTO, EINTR } =
  constants.errno;

/** No handle has this token. */
export const NO_TOKEN = -1;

const SLOTS = 0x1_0000_0000;

export function tokenSlot(token: number): number {
  return token >>> 0;
}

export function tokenGeneration(token: number): number {
  return Math.floor(token / SLOTS);
}

export function makeToken(slot: number, generation: number): number {
  return generation * SLOTS + slot;
}
