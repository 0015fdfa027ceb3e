import type { Bench } from './harness.js';
import { buildPeer, type EchoServer, loadEchoServer } from './peer.js';
import { compare } from './row.js';

/** Messages per second over 1,000 connections in ping-pong, against node:net. */
export const fanin: Bench = {
  name: 'fanin',
  what: 'messages per second over 1,000 connections, against the same server with node:net',
  async run({ smoke }) {
    await buildPeer();
    const load = { connections: 1000, messageBytes: 128, seconds: smoke ? 0.1 : 3 };
    const perSecond = async (server: EchoServer): Promise<number> => {
      return (await loadEchoServer(server, load)).perSecond;
    };
    const row = await compare({
      name: 'fanin',
      unit: 'messages/s',
      reference: 'node:net',
      bar: { atLeast: 3 },
      rounds: smoke ? 1 : 5,
      measure: () => perSecond('poller'),
      measureReference: () => perSecond('net'),
    });
    return [row];
  },
};
