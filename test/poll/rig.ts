import { mkdtempSync, readlinkSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Test } from 'tap';
import type { ScriptdError } from '../../src/errors.js';
import type { Address } from '../../src/poll/address.js';
import { epollAddon } from '../../src/poll/native-poller.js';
import { Poller, type PollerOptions } from '../../src/poll/poller.js';
import type { Socket, SocketHandlers } from '../../src/poll/socket.js';

/** A poller that is closed at the end of the test. */
export function makePoller(t: Test, options?: PollerOptions): Poller {
  const poller = new Poller(options);
  t.teardown(() => poller.close());
  return poller;
}

/** A Unix address in a new folder, which goes with the test. tap's own are too long for one. */
export function unixAddress(t: Test, name = 's'): UnixAddress {
  const folder = mkdtempSync(join(tmpdir(), 'scriptd-poll-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  return { kind: 'unix', path: join(folder, name) };
}

export type UnixAddress = Address & { kind: 'unix' };

/** A pipe whose read end the poller will own; the test writes into the other. */
export class Pipe {
  readonly readEnd: number;
  readonly writeEnd: number;

  constructor() {
    [this.readEnd, this.writeEnd] = epollAddon.openPipe();
  }

  write(text: string): void {
    writeSync(this.writeEnd, text);
  }
}

/** Records what a socket reports, and lets the test wait for its end. */
export class Recorder {
  readonly calls: string[] = [];
  readonly opened: Promise<Socket>;
  readonly ended: Promise<void>;
  readonly closed: Promise<ScriptdError | undefined>;
  readonly handlers: SocketHandlers;
  text = '';
  bytes = 0;

  constructor(more: Partial<SocketHandlers> = {}) {
    let opened: (socket: Socket) => void;
    let ended: () => void;
    let closed: (error: ScriptdError | undefined) => void;
    this.opened = new Promise((resolve) => (opened = resolve));
    this.ended = new Promise((resolve) => (ended = resolve));
    this.closed = new Promise((resolve) => (closed = resolve));
    this.handlers = {
      onOpen: (socket) => {
        this.calls.push('open');
        more.onOpen?.(socket);
        opened(socket);
      },
      onData: (chunk, socket) => {
        if (this.calls.at(-1) !== 'data') this.calls.push('data');
        this.bytes += chunk.length;
        if (this.bytes < 1000) this.text += chunk;
        more.onData?.(chunk, socket);
      },
      onEnd: (socket) => {
        this.calls.push('end');
        more.onEnd?.(socket);
        ended();
      },
      onDrain: (socket) => {
        this.calls.push('drain');
        more.onDrain?.(socket);
      },
      onClose: (error, socket) => {
        this.calls.push('close');
        more.onClose?.(error, socket);
        closed(error);
      },
    };
  }
}

export interface Connection {
  client: Socket;
  server: Socket;
  atClient: Recorder;
  atServer: Recorder;
}

/** A connection whose two ends belong to the poller. */
export async function connection(
  poller: Poller,
  address: Address,
  client: Partial<SocketHandlers> = {},
  server: Partial<SocketHandlers> = {},
): Promise<Connection> {
  const atServer = new Recorder(server);
  const atClient = new Recorder(client);
  const accepted = new Promise<Socket>((resolve) => {
    const listener = poller.listen(address, {}, (socket) => {
      socket.setHandlers(atServer.handlers);
      listener.close();
      resolve(socket);
    });
    poller.connect(listener.address, atClient.handlers);
  });
  return { client: await atClient.opened, server: await accepted, atClient, atServer };
}

/** Lets the event loop go round. */
export async function loopTurns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) await new Promise((resolve) => setImmediate(resolve));
}

/** Waits, a loop iteration at a time, until something holds; the test's own limit ends it. */
export async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 1));
}

/** What a descriptor of this process refers to, e.g. 'socket:[123]'; undefined when it is closed. */
export function describeFd(fd: number): string | undefined {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
