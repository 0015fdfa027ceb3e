import t from 'tap';
import { parseAddress } from '../../src/poll/address.js';
import { requireLocal } from '../../src/wire/transport.js';

t.test('frames stay on this host', async (t) => {
  for (const text of ['unix:/run/s', 'tcp://127.0.0.1:1', 'tcp://[::1]:1', 'tcp://localhost:1']) {
    const address = parseAddress(text);
    t.equal(requireLocal(address), address, text);
  }
  for (const text of ['tcp://0.0.0.0:1', 'tcp://10.0.0.1:1', 'tcp://127.evil.example:1']) {
    t.throws(() => requireLocal(parseAddress(text)), { code: 'INSECURE_TRANSPORT' }, text);
  }
});
