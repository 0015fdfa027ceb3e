// Each kind of callback throws; the other events of the batch must still be handled.
import { errorMessage } from '../../../src/errors.js';
import { Poller } from '../../../src/poll/poller.js';
import { Pipe, Recorder, until } from '../rig.js';

const uncaught: string[] = [];
process.on('uncaughtException', (error) => uncaught.push(errorMessage(error)));
const fail = (name: string): never => {
  throw new Error(name);
};

const poller = new Poller();
const [first, second] = [new Pipe(), new Pipe()];
const after = new Recorder();
poller.adopt(first.readEnd, { onData: () => fail('onData'), onClose: () => fail('onClose') });
poller.adopt(second.readEnd, after.handlers);
first.write('x');
second.write('still delivered');
await until(() => after.text !== '');
const { batches } = poller.stats();

poller.timer(() => fail('onExpire')).setAfter(0);
await until(() => uncaught.includes('onExpire'));

const address = { kind: 'unix', path: process.argv[2] as string } as const;
const listener = poller.listen(address, {}, () => fail('onConnection'));
const refused = new Recorder();
poller.connect(address, refused.handlers);
await refused.closed;
listener.close();

const closing = poller.connect(address, { onData: () => undefined, onClose: () => fail('gone') });
await until(() => uncaught.includes('gone'));

poller.close();
await until(() => uncaught.includes('onClose'));
console.log(JSON.stringify({ uncaught, batches, after: after.text, closed: closing.closed }));
