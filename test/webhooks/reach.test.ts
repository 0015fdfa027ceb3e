import t from 'tap';
import { Reach } from '../../src/webhooks/reach.js';

const open = new Reach([]);

t.test('only public addresses are reached', async (t) => {
  for (const address of [
    ...['0.0.0.0', '10.1.2.3', '100.64.0.1', '100.127.255.255', '127.0.0.1', '127.255.0.1'],
    ...['169.254.169.254', '172.16.0.1', '172.31.255.255', '192.0.0.8', '192.0.2.1'],
    ...['192.168.1.1', '198.18.0.1', '198.51.100.1', '203.0.113.1', '224.0.0.1', '240.0.0.1'],
    ...['255.255.255.255', '::', '::1', '::ffff:8.8.8.8', '::ffff:127.0.0.1', '::127.0.0.1'],
    ...['64:ff9b::8.8.8.8', '64:ff9b:1::1', '100::1', '2001::1', '2001:db8::1', '2002:7f00:1::'],
    ...['3fff::1', 'fc00::1', 'fd12::1', 'fe80::1', 'fe80::1%eth0', 'fec0::1', 'ff02::1'],
    ...['localhost', '', '1.2.3', '8.8.8.8:80'],
  ]) {
    t.equal(open.permits(address, 'a.test'), false, address);
  }
  for (const address of ['8.8.8.8', '100.63.255.255', '172.32.0.1', '2606:4700::1', '2a00::1']) {
    t.equal(open.permits(address, 'a.test'), true, address);
  }
});

t.test('an operator allows hosts, addresses and ranges', async (t) => {
  const reach = new Reach(['Hooks.internal', '10.1.0.0/16', '192.168.7.7', 'fd12::/16']);
  t.ok(reach.permits('10.1.255.1', 'a.test'));
  t.notOk(reach.permits('10.2.0.1', 'a.test'));
  t.ok(reach.permits('192.168.7.7', 'a.test'));
  t.notOk(reach.permits('192.168.7.8', 'a.test'));
  t.ok(reach.permits('fd12::1', 'a.test'));
  t.ok(reach.permits('127.0.0.1', 'hooks.internal.'), 'whatever an allowed name leads to');
  t.notOk(reach.permits('127.0.0.1', 'other.hooks.internal'));
  for (const entry of ['', 'a b', '10.0.0.0/33', 'http://a', '10.0.0.0/8/8', '*']) {
    t.throws(() => new Reach([entry]), { code: 'BAD_CONFIG', message: /webhookAllow/ }, entry);
  }
});

t.test('an address in a URL is judged as it stands, however it is written', async (t) => {
  for (const url of [
    ...['http://127.0.0.1/', 'http://2130706433/', 'http://0x7f.1/', 'http://017700000001/'],
    ...['http://[::1]/', 'http://[::ffff:7f00:1]/', 'http://localhost/', 'http://a.localhost./'],
  ]) {
    t.match(open.fault(new URL(url)), /not public/, url);
  }
  for (const url of ['https://example.com/', 'http://8.8.8.8/', 'https://[2606:4700::1]/']) {
    t.equal(open.fault(new URL(url)), undefined, url);
  }
  t.equal(new Reach(['127.0.0.0/8']).fault(new URL('http://localhost/')), undefined);
});
