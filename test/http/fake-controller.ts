import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { limits } from '../../src/limits.js';
import { parseAddress } from '../../src/poll/address.js';
import { type Listener, Poller } from '../../src/poll/poller.js';
import type { Socket } from '../../src/poll/socket.js';
import type { TaskView } from '../../src/task.js';
import { Connection } from '../../src/wire/connection.js';
import type { Message, MessageKind, MessageOf } from '../../src/wire/messages.js';

export const wireToken = Buffer.from('a wire token for the tests only');

/** Answers one message; what it does not answer stays open. */
export type Behaviour = (message: Message, connection: Connection) => void;

interface Waiting {
  kind: MessageKind;
  resolve(message: Message): void;
}

/**
 * A controller that speaks the real wire on a real Unix socket, and says what the test tells it to.
 * It can go away and come back at the same address.
 */
export class FakeController {
  readonly folder = mkdtempSync(join(tmpdir(), 'scriptd-http-'));
  readonly address = `unix:${join(this.folder, 'controller.sock')}`;
  /** Everything that came in and nobody waited for yet, in order. */
  readonly received: Message[] = [];
  behaviour: Behaviour = succeed;
  readonly #poller = new Poller();
  readonly #connections = new Set<Connection>();
  readonly #sockets = new Set<Socket>();
  readonly #waiting: Waiting[] = [];
  #listener: Listener | undefined;

  start(): void {
    this.#listener = this.#poller.listen(parseAddress(this.address), {}, (socket) => {
      this.#sockets.add(socket);
      const local = { role: 'controller', id: 'controller', instance: randomUUID() } as const;
      const options = { local, token: wireToken, serves: ['client'] as const };
      const connection: Connection = new Connection(socket, 'acceptor', options, {
        onOpen: () => this.#connections.add(connection),
        onMessage: (message) => this.#take(message, connection),
        onClose: () => {
          this.#connections.delete(connection);
          this.#sockets.delete(socket);
        },
      });
    });
  }

  /** Breaks every connection and stops listening. */
  stop(): void {
    this.#listener?.close();
    this.#listener = undefined;
    this.breakConnections();
  }

  breakConnections(): void {
    for (const connection of this.#connections) connection.close();
  }

  /** Hangs: stays connected, and reads nothing more. */
  freeze(): void {
    for (const socket of this.#sockets) socket.pause();
  }

  /** The next message of that kind: one that came already, or one to come. */
  next<Kind extends MessageKind>(kind: Kind): Promise<MessageOf<Kind>> {
    const index = this.received.findIndex((message) => message.kind === kind);
    if (index >= 0) {
      return Promise.resolve(this.received.splice(index, 1)[0] as unknown as MessageOf<Kind>);
    }
    return new Promise((resolve) => {
      this.#waiting.push({ kind, resolve: resolve as (message: Message) => void });
    });
  }

  /** Says something on every connection, asked for or not. */
  say(message: Message): void {
    for (const connection of this.#connections) connection.send(message);
  }

  dispose(): void {
    this.stop();
    this.#poller.close();
    rmSync(this.folder, { recursive: true, force: true });
  }

  #take(message: Message, connection: Connection): void {
    const index = this.#waiting.findIndex(({ kind }) => kind === message.kind);
    const waiting = index >= 0 ? this.#waiting.splice(index, 1)[0] : undefined;
    if (waiting) waiting.resolve(message);
    else this.received.push(message);
    this.behaviour(message, connection);
  }
}

const bytes = (text: string) => Buffer.from(text, 'utf8');
export const taskId = '01890a5d-ac96-774b-bcce-b302099a8057';

/** A finished task; tests change what they are about. */
export function finished(changes: Partial<TaskView> = {}): TaskView {
  return {
    id: taskId,
    type: 'python',
    state: 'finished',
    outcome: 'success',
    priority: 0,
    score: 0,
    tags: [],
    limits: {
      wallMs: limits.wallMsDefault,
      cpuMs: limits.cpuMsDefault,
      outputBytes: limits.outputBytesDefault,
      diskBytes: limits.diskBytesDefault,
      openFiles: limits.openFilesDefault,
      processes: limits.processesDefault,
    },
    network: 'none',
    attempt: 1,
    attempts: [{ attempt: 1, worker: 'python-1', startedAt: 1_700_000_000_500 }],
    createdAt: 1_700_000_000_000,
    startedAt: 1_700_000_000_500,
    finishedAt: 1_700_000_001_000,
    exitCode: 0,
    stdout: bytes('2\n'),
    stderr: bytes(''),
    truncated: { stdout: false, stderr: false },
    worker: 'python-1',
    durability: 'fsync',
    ...changes,
  };
}

/** A task that nothing has happened to. */
export function pending(changes: Partial<TaskView> = {}): TaskView {
  const { id, type, priority, score, tags, limits: granted, createdAt } = finished();
  const state = 'pending' as const;
  const common = { id, type, state, priority, score, tags, limits: granted, createdAt };
  return { network: 'none', ...common, attempt: 0, attempts: [], durability: 'fsync', ...changes };
}

/** Answers with this task whatever asks for one. */
export function answerWith(task: TaskView): Behaviour {
  return (message, connection) => {
    if (!('requestId' in message) || message.kind === 'forget') return;
    const { requestId } = message;
    if (message.kind === 'status') connection.send(report(requestId));
    else if (message.kind === 'measure') connection.send(figures(requestId));
    else connection.send({ kind: 'task', requestId, task });
  };
}

export function refuseWith(code: string, text: string, field?: string): Behaviour {
  return (message, connection) => {
    if (!('requestId' in message) || message.kind === 'forget') return;
    const { requestId } = message;
    connection.send({ kind: 'refused', requestId, code, message: text, ...(field && { field }) });
  };
}

type WithoutId<M> = M extends { requestId: number } ? Omit<M, 'requestId'> : never;

/** Answers everything with this, whatever was asked. */
export function reply(answer: WithoutId<Message>): Behaviour {
  return (message, connection) => {
    if (!('requestId' in message) || message.kind === 'forget') return;
    connection.send({ ...answer, requestId: message.requestId } as Message);
  };
}

export const silent: Behaviour = () => undefined;

export function report(requestId: number, changes: Partial<MessageOf<'report'>> = {}) {
  return {
    kind: 'report',
    requestId,
    ready: true,
    draining: false,
    missing: [],
    pending: 0,
    running: 0,
    workers: [],
    ...changes,
  } as const satisfies Message;
}

/** Of a controller that has nothing to show. */
function figures(requestId: number) {
  return { kind: 'figures', requestId, families: [], parts: [] } as const satisfies Message;
}

/** The script's output is its own code: what was asked for can be read from the answer. */
function succeed(message: Message, connection: Connection): void {
  if (message.kind === 'submit') {
    const stdout = bytes(message.task.code);
    const task = finished({ stdout, type: message.task.type ?? 'python' });
    connection.send({ kind: 'task', requestId: message.requestId, task });
  } else {
    answerWith(finished())(message, connection);
  }
}
