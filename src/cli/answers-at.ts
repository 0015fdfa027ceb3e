import { connect } from 'node:net';
import type { Address } from '../poll/address.js';

/** Whether anything listens there. Never fails: where one cannot connect, nothing answers. */
export function answersAt(address: Address): Promise<boolean> {
  const socket = connect(
    address.kind === 'unix' ? { path: address.path } : { host: address.host, port: address.port },
  );
  return new Promise((resolve) => {
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
