import type { Test } from 'tap';
import type { ClientRequests, Watches } from '../../src/controller/clients.js';
import type { Followers, FollowersOptions } from '../../src/controller/followers.js';
import { Connection } from '../../src/wire/connection.js';
import type { Message } from '../../src/wire/messages.js';
import { listening, token } from './listening.js';

export interface ConnectedDaemon {
  watches: Watches;
  followers: Followers;
  send(message: Message): void;
  /** The next answer, in the order in which they come. */
  next(): Promise<Message>;
  ask(message: Message): Promise<Message>;
  /** Breaks the connection. */
  close(): void;
}

/** An http daemon's connection to a real listener whose controller has only what it is asked for. */
export async function connectDaemon(
  t: Test,
  requests: Partial<ClientRequests>,
  following: Partial<FollowersOptions> = {},
): Promise<ConnectedDaemon> {
  const { poller, address, watches, followers } = listening(t, requests, following);
  const answers: Message[] = [];
  const waiting: ((message: Message) => void)[] = [];
  const connection = await new Promise<Connection>((resolve, reject) => {
    const socket = poller.connect(address, { onData: () => undefined });
    const local = { role: 'http', id: 'http', instance: 'h' } as const;
    const options = { local, token, channel: 'client' } as const;
    new Connection(socket, 'initiator', options, {
      onOpen: (_peer, opened) => resolve(opened),
      onMessage: (message) => {
        const first = waiting.shift();
        if (first) first(message);
        else answers.push(message);
      },
      onClose: reject,
    });
  });
  const send = (message: Message) => void connection.send(message);
  const next = () => {
    const first = answers.shift();
    return first
      ? Promise.resolve(first)
      : new Promise<Message>((resolve) => waiting.push(resolve));
  };
  const ask = (message: Message) => {
    send(message);
    return next();
  };
  return { watches, followers, send, next, ask, close: () => connection.close() };
}
