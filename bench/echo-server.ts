// An echo server in a process of its own: `node echo-server.js poller|net PATH`.
import { createServer } from 'node:net';
import { Poller } from '../src/poll/poller.js';

const [, , kind, path] = process.argv as [string, string, string, string];

if (kind === 'poller') {
  new Poller().listen({ kind: 'unix', path }, { backlog: 4096 }, (socket) => {
    socket.setHandlers({ onData: (chunk, from) => void from.write(chunk) });
  });
} else {
  const server = createServer((socket) => {
    socket.on('data', (chunk) => socket.write(chunk));
    socket.on('error', () => socket.destroy()); // the client is done
  });
  server.listen({ path, backlog: 4096 });
}
