// Runs with few descriptors: uses them all up, is connected to, and frees them again.
import { closeSync, openSync } from 'node:fs';
import type { ScriptdError } from '../../../src/errors.js';
import { errorCode } from '../../../src/errors.js';
import { Poller } from '../../../src/poll/poller.js';
import { loopTurns, Recorder, until } from '../rig.js';

const address = { kind: 'unix', path: process.argv[2] as string } as const;
const poller = new Poller();
const atServer = new Recorder();
let accepted = false;
const failed = new Promise<ScriptdError>((onError) => {
  poller.listen(address, { onError }, (socket) => {
    accepted = true;
    socket.setHandlers(atServer.handlers);
  });
});

const hoard: number[] = [];
for (;;) {
  try {
    hoard.push(openSync('/dev/null', 'r'));
  } catch (error) {
    if (errorCode(error) !== 'EMFILE') throw error;
    break;
  }
}
closeSync(hoard.pop() as number); // for the client; none is left for the server
poller.connect(address, new Recorder().handlers).write('hello');
const { code, syscall } = await failed;
const before = poller.stats();
await loopTurns(20);
const spins = poller.stats().wakeUps - before.wakeUps > 5;
const acceptedBefore = accepted;

for (const fd of hoard) closeSync(fd);
await until(() => atServer.text === 'hello');
console.log(JSON.stringify({ code, syscall, acceptedBefore, spins, echoed: atServer.text }));
poller.close();
