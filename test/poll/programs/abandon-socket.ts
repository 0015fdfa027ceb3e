// Listens on the path given and is killed, so that the socket file stays.
import { Poller } from '../../../src/poll/poller.js';

new Poller().listen({ kind: 'unix', path: process.argv[2] as string }, {}, () => undefined);
process.kill(process.pid, 'SIGKILL');
