// A Worker with a poller of its own: echoes on the path given and tells what it has open.
import { readdirSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';
import { Poller } from '../../../src/poll/poller.js';
import { describeFd, Pipe, Recorder } from '../rig.js';

const { path } = workerData as { path: string };
const before = new Set(openFds());
const poller = new Poller();
poller.listen({ kind: 'unix', path }, {}, (socket) => {
  socket.setHandlers({ onData: (chunk) => void socket.write(chunk) });
});
const pipe = new Pipe();
poller.adopt(pipe.readEnd, new Recorder().handlers);
poller.adopt(pipe.writeEnd, new Recorder().handlers);
poller.timer(() => undefined).setAfter(60_000);
poller.watchProcess(poller.openProcess(process.pid), () => undefined);
parentPort?.postMessage(openFds().filter((fd) => !before.has(fd)));

/** Descriptors of this process as 'number target'. */
function openFds(): string[] {
  return readdirSync('/proc/self/fd').map((fd) => `${fd} ${describeFd(Number(fd))}`);
}
