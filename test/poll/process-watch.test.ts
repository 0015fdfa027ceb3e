import { spawn } from 'node:child_process';
import { once } from 'node:events';
import t from 'tap';
import { describeFd, loopTurns, makePoller } from './rig.js';

t.test('the exit of a process is told once, then the watch is closed', async (t) => {
  const poller = makePoller(t);
  const child = spawn('cat', { stdio: ['pipe', 'ignore', 'ignore'] });
  const pidfd = poller.openProcess(child.pid as number);
  let exits = 0;
  let openInCallback: string | undefined;
  const exited = new Promise<void>((resolve) => {
    poller.watchProcess(pidfd, () => {
      exits++;
      openInCallback = describeFd(pidfd);
      resolve();
    });
  });
  await loopTurns(5);
  t.equal(exits, 0);
  child.stdin.end();
  await exited;
  await loopTurns(5);
  t.equal(exits, 1);
  t.match(openInCallback, /pidfd/);
  t.equal(poller.stats().openHandles, 0);
});

t.test('a process that has exited before it is watched is told too', async (t) => {
  const poller = makePoller(t);
  const child = spawn('true', { stdio: 'ignore' });
  const pidfd = poller.openProcess(child.pid as number);
  await once(child, 'exit');
  await new Promise<void>((resolve) => poller.watchProcess(pidfd, resolve));
  await loopTurns(1);
  t.equal(poller.stats().openHandles, 0);
});

t.test('a closed watch tells nothing and has closed the pidfd', async (t) => {
  const poller = makePoller(t);
  const child = spawn('true', { stdio: 'ignore' });
  const pidfd = poller.openProcess(child.pid as number);
  let exits = 0;
  const watch = poller.watchProcess(pidfd, () => exits++);
  watch.close();
  watch.close();
  t.notMatch(describeFd(pidfd) ?? 'closed', /pidfd/);
  await once(child, 'exit');
  await loopTurns(5);
  t.equal(exits, 0);
});

t.test('a process that is not there is ESRCH', async (t) => {
  const poller = makePoller(t);
  t.throws(() => poller.openProcess(0x3fff_ffff), { code: 'ESRCH', syscall: 'pidfd_open' });
});
