import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { LocalManager } from '../../src/controller/managers/local.js';
import { parseAddress } from '../../src/poll/address.js';
import { linesLog } from '../http/log-lines.js';

const address = parseAddress('unix:/nowhere');
const place = { name: 'bash-1', type: 'bash', slots: 1, address, local: true };
/** Longer than an argument may be (MAX_ARG_STRLEN of linux/binfmts.h): E2BIG is thrown, as ENOMEM is. */
const tooLong = 'x'.repeat(2 ** 18);

t.test('a worker whose start the system refuses is started again, after a while', async (t) => {
  const { log, lines } = linesLog();
  let refusals = 2;
  const manager = new LocalManager({
    places: [place],
    command: () => {
      const args = refusals-- > 0 ? [tooLong] : ['-c', 'echo listening; exec sleep 60'];
      return { file: '/bin/sh', args, env: {} };
    },
    misconfiguredExitCode: 78,
    onMisconfigured: () => t.fail('it is not misconfigured'),
    log,
  });
  const ending = new AbortController();
  const listening = new Promise<void>((resolve) => {
    const none = () => undefined;
    manager.start({ onAdded: none, onListening: () => resolve(), onRemoved: none });
  });
  const ensuring = (async () => {
    while (!ending.signal.aborted) {
      manager.ensure(place);
      manager.ensure(place);
      await sleep(5);
    }
  })();
  await listening;
  ending.abort();
  await ensuring;
  await manager.finish(0, []);
  const refused = /worker bash-1 could not be started: spawn E2BIG; it will be started again/;
  t.match(lines, [
    { msg: refused },
    { msg: refused },
    { msg: 'started worker bash-1' },
    { msg: /was ended by SIGKILL/ },
  ]);
  t.equal(lines.length, 4, 'it waits in between');
});
