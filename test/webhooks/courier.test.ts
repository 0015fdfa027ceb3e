import { readFileSync } from 'node:fs';
import t, { type Test } from 'tap';
import { Courier } from '../../src/webhooks/courier.js';
import { noticeOf } from '../../src/webhooks/notice.js';
import { until } from '../cli/service.js';
import { silentLog } from '../http/daemon.js';
import { finished } from '../http/fake-controller.js';
import { Receiver } from './receiver.js';

function start(t: Test, idleMs = 60_000): Courier {
  const courier = new Courier({ allow: ['127.0.0.1'], log: silentLog, idleMs });
  t.teardown(() => courier.close());
  return courier;
}

const errand = (url: string) => ({
  ...{ url, keys: [Buffer.alloc(32, 1)], id: 'task-x-1', tries: 0 },
  notice: noticeOf(finished({ stdout: Buffer.from([0xff, 0]) })),
});

function isAlive(pid: number): boolean {
  try {
    return !/^\d+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}

t.test(
  'it sends by a process of its own, which knows no proxy and no secret of ours',
  async (t) => {
    process.env.http_proxy = 'http://127.0.0.1:1';
    process.env.SCRIPTD_SECRET = 'x';
    t.teardown(() => {
      delete process.env.http_proxy;
      delete process.env.SCRIPTD_SECRET;
    });
    const receiver = await Receiver.start(t);
    const courier = start(t);
    t.equal(courier.pid, undefined, 'none before there is something to send');
    t.match(await courier.send(errand(receiver.origin)), { status: 200 });
    const environment = readFileSync(`/proc/${courier.pid}/environ`, 'utf8');
    t.notMatch(environment, /proxy|SCRIPTD/);
    const { data } = JSON.parse(receiver.received[0]?.body ?? '{}');
    t.match(data, { stdoutEncoding: 'base64', stdout: Buffer.from([0xff, 0]).toString('base64') });
    const { pid = 0 } = courier;
    courier.close();
    await until('it ends with whoever started it', () => !isAlive(pid));
  },
);

t.test('one that dies is started again, and what it had counts as attempted', async (t) => {
  const receiver = await Receiver.start(t, (response, count) => {
    if (count > 1) response.end();
  });
  const courier = start(t);
  const sent = courier.send(errand(receiver.origin));
  await until('it is under way', () => receiver.received.length === 1);
  process.kill(courier.pid ?? 0, 'SIGTERM');
  process.kill(courier.pid ?? 0, 'SIGKILL');
  t.match(await sent, { error: /SIGKILL/ }, 'only what cannot be ignored ends it');
  t.match(await courier.send(errand(receiver.origin)), { status: 200 });
});

t.test('without work it goes, and comes back with the next', async (t) => {
  const receiver = await Receiver.start(t);
  const courier = start(t, 1);
  await courier.send(errand(receiver.origin));
  await until('it rests', () => courier.pid === undefined);
  t.match(await courier.send(errand(receiver.origin)), { status: 200 });
});

t.test('what is under way when it is closed is neither sent nor refused', async (t) => {
  const receiver = await Receiver.start(t, () => undefined);
  const courier = start(t);
  const sent = courier.send(errand(receiver.origin));
  await until('it is under way', () => receiver.received.length === 1);
  courier.close();
  t.equal(await courier.send(errand(receiver.origin)), undefined);
  t.equal(await sent, undefined);
});
