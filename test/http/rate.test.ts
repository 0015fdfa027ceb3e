import t from 'tap';
import { Failures, networkOf } from '../../src/http/failures.js';
import { httpLimits } from '../../src/http/limits.js';
import { Bucket } from '../../src/http/rate.js';

t.test('a bucket gives its burst at once, and then its rate', async (t) => {
  const bucket = new Bucket({ perSecond: 4, burst: 3 });
  t.same(
    [0, 0, 0].map(() => bucket.take(1_000)),
    [0, 0, 0],
  );
  t.equal(bucket.take(1_000), 250, 'and says how long until there is another');
  t.equal(bucket.take(1_100), 150, 'to ask takes nothing');
  t.equal(bucket.take(1_250), 0);
  t.equal(bucket.take(1_250), 250);
  t.equal(bucket.waitMs(1_500), 0);
  t.equal(bucket.take(1_500), 0, 'to look takes nothing either');
  t.same(
    [0, 0, 0, 0].map(() => bucket.take(99_000) === 0),
    [true, true, true, false],
    'full again',
  );
});

t.test('a burst is whole at whatever fraction of a millisecond it begins', async (t) => {
  const others: object[] = [];
  for (const perSecond of [1, 3, 7, 1_000]) {
    for (let nowMs = 0.001; nowMs < 1e10; nowMs = nowMs * 1.37 + 0.1) {
      const bucket = new Bucket({ perSecond, burst: 100 });
      let taken = 0;
      while (taken < 1_000 && bucket.take(nowMs) === 0) taken++;
      if (taken !== 100) others.push({ perSecond, nowMs, taken });
    }
  }
  t.same(others, []);
});

t.test('over any time a bucket gives no more than its burst and its rate', async (t) => {
  const bucket = new Bucket({ perSecond: 10, burst: 5 });
  let taken = 0;
  for (let nowMs = 0; nowMs < 20_000; nowMs += 7) if (bucket.take(nowMs) === 0) taken++;
  t.ok(taken >= 5 + 198 && taken <= 5 + 200, String(taken));
});

t.test('an address fails as often as it may, whoever else fails', async (t) => {
  const failures = new Failures();
  for (let count = 0; count < httpLimits.authFailuresBurst; count++) {
    t.equal(failures.add('192.0.2.1', 0), 0);
  }
  t.ok(failures.add('192.0.2.1', 0) > 0);
  t.ok(failures.waitMs('192.0.2.1', 0) > 0);
  t.ok(failures.waitMs('::ffff:192.0.2.1', 0) > 0, 'the same address on an IPv6 socket');
  t.equal(failures.waitMs('192.0.2.2', 0), 0);
  t.equal(failures.add('192.0.2.2', 0), 0);
  t.equal(failures.waitMs('192.0.2.1', 1_000 / httpLimits.authFailuresPerSecond), 0, 'later again');
});

t.test('of more addresses than it has room for, the longest quiet one is forgotten', async (t) => {
  const failures = new Failures();
  const exhaust = (address: string) => {
    for (let count = 0; count <= httpLimits.authFailuresBurst; count++) failures.add(address, 0);
  };
  exhaust('first');
  exhaust('second');
  failures.add('first', 0);
  for (let count = 0; count < httpLimits.authFailureAddressesMax - 1; count++) {
    failures.add(`other ${count}`, 0);
  }
  t.equal(failures.waitMs('second', 0), 0, 'forgotten');
  t.ok(failures.waitMs('first', 0) > 0, 'known: it failed after the other');
});

t.test('IPv6 addresses are taken together by their /64', async (t) => {
  const same: [string, string][] = [
    ['2001:db8::1', '2001:db8::ffff'],
    ['2001:db8:0:0:1::', '2001:db8::2:3:4'],
    ['fe80::1%eth0', 'fe80::2%eth0'],
    ['::1', '::2'],
  ];
  for (const [one, other] of same) t.equal(networkOf(one), networkOf(other), `${one} ${other}`);
  t.not(networkOf('2001:db8:0:1::1'), networkOf('2001:db8:0:2::1'));
  t.equal(networkOf('192.0.2.1'), '192.0.2.1');
  t.equal(networkOf(undefined), '');
});
