import t from 'tap';
import { formatAddress, parseAddress } from '../../src/poll/address.js';

t.test('every form of address is read and written back as it was', async (t) => {
  const forms = {
    'unix:/run/x.sock': { kind: 'unix', path: '/run/x.sock' },
    'unix:relative.sock': { kind: 'unix', path: 'relative.sock' },
    'tcp://127.0.0.1:5100': { kind: 'tcp', host: '127.0.0.1', port: 5100 },
    'tcp://controller.example:0': { kind: 'tcp', host: 'controller.example', port: 0 },
    'tcp://[::1]:65535': { kind: 'tcp', host: '::1', port: 65_535 },
  };
  for (const [text, address] of Object.entries(forms)) {
    t.same(parseAddress(text), address);
    t.equal(formatAddress(parseAddress(text)), text);
  }
});

t.test('what is no address is refused with the cure', async (t) => {
  const refused = {
    '': /unix:\/PATH or tcp:/,
    '/run/x.sock': /unix:\/PATH or tcp:/,
    'http://127.0.0.1:1': /unix:\/PATH or tcp:/,
    'unix:': /a path must follow/,
    'unix:/a\0b': /no NUL/,
    'tcp://127.0.0.1': /tcp:\/\/HOST:PORT/,
    'tcp://:5100': /tcp:\/\/HOST:PORT/,
    'tcp://::1:5100': /in brackets/,
    'tcp://[::g]:5100': /no IPv6 address/,
    'tcp://user@host:1': /tcp:\/\/HOST:PORT/,
    'tcp://host:1/path': /tcp:\/\/HOST:PORT/,
    'tcp://host:65536': /over 65535/,
    'tcp://host:-1': /tcp:\/\/HOST:PORT/,
  };
  for (const [text, message] of Object.entries(refused)) {
    t.throws(() => parseAddress(text), { code: 'BAD_ADDRESS', message }, JSON.stringify(text));
  }
});

t.test('a Unix path may have 107 bytes and no more', async (t) => {
  t.equal(parseAddress(`unix:${'a'.repeat(107)}`).kind, 'unix');
  const cure = { code: 'BAD_ADDRESS', message: /108 bytes and Linux allows 107: choose a shorter/ };
  t.throws(() => parseAddress(`unix:${'a'.repeat(108)}`), cure);
  t.throws(() => parseAddress(`unix:${'é'.repeat(54)}`), cure, 'bytes count, not characters');
});
