import t from 'tap';
import { createLog } from '../../src/log.js';
import { Notifier, takeNotifier } from '../../src/systemd/notifier.js';
import { NotifySocket } from './notified.js';

const silent = createLog('test', 'silent');

for (const kind of ['path', 'abstract'] as const) {
  t.test(`what is told arrives at a socket with a name that is ${kind}`, async (t) => {
    const socket = await NotifySocket.open(t, kind);
    const notifier = new Notifier(socket.address, undefined, silent);
    notifier.status('starting');
    notifier.ready();
    notifier.stopping();
    await socket.until(({ notices }) => notices.length === 3);
    t.same(socket.texts, ['STATUS=starting', 'READY=1', 'STOPPING=1']);
    t.equal(socket.notices[0]?.pid, process.pid);
  });
}

t.test('a status is sent once, and is one line', async (t) => {
  const socket = await NotifySocket.open(t);
  const notifier = new Notifier(socket.address, undefined, silent);
  notifier.status('one\nREADY=1');
  notifier.status('one READY=1');
  notifier.status('two');
  await socket.until(({ notices }) => notices.length === 2);
  t.same(socket.texts, ['STATUS=one READY=1', 'STATUS=two']);
});

t.test('the watchdog is fed by the event loop, and not when that stands', async (t) => {
  const socket = await NotifySocket.open(t);
  const notifier = new Notifier(socket.address, 40, silent);
  t.teardown(() => notifier.close());
  // The timer alone does not keep a process alive; this test's own interest does.
  const keepAlive = setInterval(() => undefined, 1_000);
  t.teardown(() => clearInterval(keepAlive));
  await socket.until(({ notices }) => notices.length >= 3);
  t.ok(socket.texts.every((text) => text === 'WATCHDOG=1'));
  // What is sent before and after stands in the order in which it was sent, however late it is read.
  notifier.status('stands');
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 400);
  await new Promise((resolve) => setImmediate(resolve));
  notifier.status('goes on');
  await socket.until(({ texts }) => texts.includes('STATUS=goes on'));
  const at = (status: string) => socket.texts.indexOf(`STATUS=${status}`);
  t.ok(at('goes on') - at('stands') <= 3, 'none was sent while the event loop stood');
});

t.test('its variables are for this process alone', async (t) => {
  const socket = await NotifySocket.open(t);
  const watchdog = { WATCHDOG_USEC: '40000', WATCHDOG_PID: String(process.pid) };
  const env = { NOTIFY_SOCKET: socket.address, ...watchdog, KEPT: '1' };
  const notifier = takeNotifier(env, silent);
  t.teardown(() => notifier?.close());
  t.same(env, { KEPT: '1' });
  const keepAlive = setInterval(() => undefined, 1_000);
  t.teardown(() => clearInterval(keepAlive));
  await socket.until(({ notices }) => notices.length > 0);
  t.same(socket.texts[0], 'WATCHDOG=1');
});

t.test('without a service manager there is none, and another process is not watched', async (t) => {
  t.equal(takeNotifier({}, silent), undefined);
  t.equal(takeNotifier({ NOTIFY_SOCKET: '' }, silent), undefined);
  const socket = await NotifySocket.open(t);
  const env = { NOTIFY_SOCKET: socket.address, WATCHDOG_USEC: '2000', WATCHDOG_PID: '1' };
  const notifier = takeNotifier(env, silent);
  await new Promise((resolve) => setTimeout(resolve, 50));
  notifier?.ready();
  await socket.until(({ notices }) => notices.length > 0);
  t.same(socket.texts, ['READY=1']);
});

t.test('a service manager that is gone is no fault of the service', async (t) => {
  const warnings: string[] = [];
  const log = Object.assign(createLog('test', 'silent'), {
    warn: (_fields: unknown, text: string) => warnings.push(text),
  });
  for (const address of ['/nowhere/at/all', `@${'x'.repeat(200)}`, '@scriptd-nobody-is-here']) {
    new Notifier(address, undefined, log).ready();
  }
  t.match(warnings, [/ENOENT/, /ENAMETOOLONG/, /ECONNREFUSED/]);
});
