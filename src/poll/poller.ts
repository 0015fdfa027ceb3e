import { lookup } from 'node:dns';
import { isIP } from 'node:net';
import { ScriptdError } from '../errors.js';
import { type Address, formatAddress } from './address.js';
import type { ConnectAttempt } from './connector.js';
import { pollLimits } from './limits.js';
import { Listener, type ListenOptions } from './listener.js';
import { epollAddon, type NativeCounters } from './native-poller.js';
import { ProcessWatch } from './process-watch.js';
import { Reactor } from './reactor.js';
import { Socket, type SocketHandlers } from './socket.js';
import { closedError, translated } from './system-error.js';
import { Timer } from './timer.js';

export type { Listener, ListenOptions } from './listener.js';
export type { ProcessWatch } from './process-watch.js';
export type { Timer } from './timer.js';

export interface PollerOptions {
  /** Events handled per batch. Default pollLimits.eventsMax. */
  eventsMax?: number;
  /** Bytes read per batch, of all streams together. Default pollLimits.readBufferBytes. */
  readBufferBytes?: number;
  /**
   * What is written in callbacks of others than this poller leaves at the end of the loop's iteration,
   * not after each of them: one system call for what many of Node's own sockets bring. Default false.
   */
  gathersWrites?: boolean;
}

export interface PollerStats extends NativeCounters {
  /** Calls into JavaScript, each for a batch of events. */
  batches: number;
  /** Events handed to a handle. */
  callbacks: number;
  /** Flushes of small writes, each for any number of sockets. */
  flushCalls: number;
}

/**
 * One epoll set and everything in it: sockets, pipes, listeners, timers, processes. It keeps the
 * process alive while it owns an open one of these, and lives until close().
 *
 * Callbacks run from the event loop, never from inside the call that causes them. What one throws
 * becomes an uncaught exception; the other events of the batch are still handled.
 */
export class Poller {
  readonly #reactor: Reactor;
  #lastCounters: NativeCounters | undefined;

  constructor(options: PollerOptions = {}) {
    this.#reactor = new Reactor({
      eventsMax: options.eventsMax ?? pollLimits.eventsMax,
      readBufferBytes: options.readBufferBytes ?? pollLimits.readBufferBytes,
      writeBufferBytes: pollLimits.writeBufferBytes,
      gathersWrites: options.gathersWrites ?? false,
    });
  }

  get closed(): boolean {
    return this.#reactor.closed;
  }

  /**
   * Accepts connections. `onConnection` must give each socket its handlers (setHandlers) before it
   * returns. A Unix socket's file has its mode before anybody can connect, replaces one on which
   * nobody listens, and goes with the listener. TCP needs a literal IP address.
   *
   * @throws ScriptdError CLOSED, BAD_ADDRESS, EADDRINUSE, EACCES, ...
   */
  listen(
    address: Address,
    options: ListenOptions,
    onConnection: (socket: Socket) => void,
  ): Listener {
    this.#reactor.assertOpen();
    const { native } = this.#reactor;
    const backlog = options.backlog ?? pollLimits.backlog;
    const token = translated(`listen on ${formatAddress(address)}`, () => {
      if (address.kind === 'unix') {
        return native.listenUnix(address.path, options.mode ?? pollLimits.unixSocketMode, backlog);
      }
      assertIp(address);
      return native.listenTcp(address.host, address.port, backlog);
    });
    const bound =
      address.kind === 'tcp' ? { ...address, port: native.localPort(token) } : { ...address };
    return new Listener(this.#reactor, bound, token, options, onConnection);
  }

  /**
   * Connects without blocking: ends in onOpen or in onClose with the error (ECONNREFUSED, ENOENT,
   * EAGAIN when a Unix listener's backlog is full, ENOTFOUND for an unknown host, ...). A host name
   * is looked up and its addresses are tried in turn. What is written before onOpen is sent then.
   * There is no limit of time: close() it.
   *
   * @throws ScriptdError CLOSED
   */
  connect(address: Address, handlers: SocketHandlers): Socket {
    const reactor = this.#reactor;
    reactor.assertOpen();
    const name = formatAddress(address);
    const origin = { name, readable: true, writable: true, isSocket: true };
    const socket = new Socket(reactor, origin, handlers);
    if (address.kind === 'unix') {
      socket.connect([() => reactor.native.connectUnix(address.path)]);
      return socket;
    }
    const attempt = (ip: string): ConnectAttempt => {
      return () => reactor.native.connectTcp(ip, address.port);
    };
    if (isIP(address.host) !== 0) {
      socket.connect([attempt(address.host)]);
      return socket;
    }
    lookup(address.host, { all: true, verbatim: true }, (error, found) => {
      if (error !== null) socket.destroy(lookupError(name, error));
      else if (reactor.closed) socket.destroy(closedError('the poller'));
      else socket.connect(found.map((entry) => attempt(entry.address)));
    });
    return socket;
  }

  /**
   * Takes over a socket or a pipe end made elsewhere; it becomes non-blocking (for all who share
   * its open file description) and close-on-exec. What can only be written is not read.
   *
   * @throws ScriptdError CLOSED; EBADF; EPERM when epoll can't watch it (a file)
   */
  adopt(fd: number, handlers: SocketHandlers): Socket {
    this.#reactor.assertOpen();
    const name = `fd ${fd}`;
    const { token, ...origin } = translated(name, () => this.#reactor.native.adopt(fd));
    const socket = new Socket(this.#reactor, { name, ...origin }, handlers);
    socket.open(token);
    return socket;
  }

  /**
   * A timer, not set.
   *
   * @throws ScriptdError CLOSED, EMFILE
   */
  timer(onExpire: () => void): Timer {
    this.#reactor.assertOpen();
    const token = translated('timer', () => this.#reactor.native.openTimer());
    return new Timer(this.#reactor, token, onExpire);
  }

  /**
   * Takes over a pidfd and calls onExit once when its process has exited; the watch then closes
   * itself, after onExit.
   *
   * @throws ScriptdError CLOSED, EBADF
   */
  watchProcess(pidfd: number, onExit: () => void): ProcessWatch {
    this.#reactor.assertOpen();
    const token = translated(`pidfd ${pidfd}`, () => this.#reactor.native.watchProcess(pidfd));
    return new ProcessWatch(this.#reactor, token, onExit);
  }

  /**
   * A pidfd for watchProcess (pidfd_open(2)). Only for a child that is not reaped yet can the pid
   * not mean another process.
   *
   * @throws ScriptdError ESRCH, EMFILE
   */
  openProcess(pid: number): number {
    return translated(`process ${pid}`, () => epollAddon.openProcess(pid));
  }

  /** Since the poller was made; after close() the last values. */
  stats(): PollerStats {
    const reactor = this.#reactor;
    const counters = this.#lastCounters ?? reactor.native.counters();
    return {
      ...counters,
      batches: reactor.batch,
      callbacks: reactor.callbacks,
      flushCalls: reactor.outbox.flushCalls,
    };
  }

  /** Closes everything that it owns: each socket's onClose follows. Idempotent. */
  close(): void {
    if (this.closed) return;
    this.#lastCounters = { ...this.#reactor.native.counters(), openHandles: 0 };
    this.#reactor.close();
  }
}

function assertIp(address: { host: string; port: number }): void {
  if (isIP(address.host) !== 0) return;
  throw new ScriptdError(
    'BAD_ADDRESS',
    `can't listen on the name ${address.host}: write an IP address, e.g. tcp://127.0.0.1:${address.port}`,
  );
}

function lookupError(name: string, cause: NodeJS.ErrnoException): ScriptdError {
  const code = cause.code ?? 'ENOTFOUND';
  return new ScriptdError(code, `connect to ${name}: the host name can't be resolved (${code})`, {
    syscall: 'getaddrinfo',
    cause,
  });
}
