import { once } from 'node:events';
import { createServer } from 'node:net';
import { errorCode } from '../src/errors.js';

/** Below the ports that the kernel gives to whoever asks for any: nobody gets one of these by chance. */
const ports = { first: 12_000, count: 20_000 };
/** From one process to the next: those that look at the same time begin at other places. */
const stride = 20;

let next = process.pid * stride;

/** Ports of loopback that nobody has at this moment, and that were not given before. */
export async function freePorts(count: number): Promise<number[]> {
  const free: number[] = [];
  for (let index = 0; index < ports.count && free.length < count; index++) {
    const port = ports.first + (next++ % ports.count);
    if (await isFree(port)) free.push(port);
  }
  if (free.length < count) throw new Error('too few ports are free');
  return free;
}

export async function freePort(): Promise<number> {
  const [port = 0] = await freePorts(1);
  return port;
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer().listen(port, '127.0.0.1');
  try {
    await once(server, 'listening');
  } catch (error) {
    if (errorCode(error) === 'EADDRINUSE') return false;
    throw error;
  }
  server.close();
  await once(server, 'close');
  return true;
}
