import t from 'tap';
import { parseAddress } from '../../src/poll/address.js';
import { Transport } from '../../src/wire/transport.js';

const here = ['unix:/run/s', 'tcp://127.0.0.1:1', 'tcp://[::1]:1', 'tcp://localhost:1'];
const elsewhere = ['tcp://0.0.0.0:1', 'tcp://10.0.0.1:1', 'tcp://127.evil.example:1'];

t.test('frames stay on this host', async (t) => {
  const transport = new Transport();
  for (const text of here) {
    const address = parseAddress(text);
    t.equal(transport.checked(address), address, text);
  }
  for (const text of elsewhere) {
    t.throws(() => transport.checked(parseAddress(text)), { code: 'INSECURE_TRANSPORT' }, text);
  }
});

t.test('unless somebody says that the network is guarded', async (t) => {
  const transport = new Transport({ insecure: true });
  for (const text of [...here, ...elsewhere]) {
    const address = parseAddress(text);
    t.equal(transport.checked(address), address, text);
  }
});
