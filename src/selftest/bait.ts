import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';

/** What hostile scripts are after: a secret beside the worker's socket, and a service of this host. */
export interface Bait {
  /** Python that says where it is: WORKER, SOCKET, PORT, PID. */
  readonly preamble: string;
  remove(): Promise<void>;
}

/**
 * @param folder of the worker; a file that everybody may read is put there
 * @param socket where the worker listens
 * @param pid of the worker
 */
export async function setBait(folder: string, socket: string, pid: number): Promise<Bait> {
  writeFileSync(join(folder, 'secret'), 'secret', { mode: 0o644 });
  const server = createServer((_request, response) => response.end('reached'));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const text = (value: string) => JSON.stringify(value);
  return {
    preamble: `WORKER = ${text(folder)}; SOCKET = ${text(socket)}; PORT = ${port}; PID = ${pid}\n`,
    remove: () => new Promise((resolve) => server.close(() => resolve())),
  };
}
