// Says what keeps the process alive: it exits by itself once nothing does.
import { Poller } from '../../../src/poll/poller.js';

const poller = new Poller();
const said: string[] = [];
const timer = poller.timer(() => {
  said.push('the timer went off'); // only if an open handle keeps the process alive
  timer.close();
});
timer.setAfter(20);
process.on('exit', () => console.log(JSON.stringify(said)));
