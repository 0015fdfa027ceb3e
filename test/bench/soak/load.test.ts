import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import t from 'tap';
import { Http } from '../../../bench/http.js';
import { kinds } from '../../../bench/soak/kinds.js';
import { pickKind } from '../../../bench/soak/load.js';
import { ends, type Kind, Session } from '../../../bench/soak/session.js';
import { Random } from '../../simulation/random.js';

t.test('kinds come as often as their weights say, and the same in each run', async (t) => {
  const kind = (name: string, weight: number): Kind => ({
    name,
    weight,
    run: async () => undefined,
  });
  const two = [kind('rare', 1), kind('often', 3)];
  const names = [0, 0.249, 0.25, 0.999].map((luck) => pickKind(two, luck).name);
  t.same(names, ['rare', 'rare', 'often', 'often']);
  const run = () => {
    const random = new Random(7);
    return Array.from({ length: 500 }, () => pickKind(kinds, random.next()).name);
  };
  t.same(run(), run());
  const seen = new Set(kinds.map(({ name }) => name));
  t.equal(seen.size, kinds.length, 'each has a name of its own');
});

t.test('an end that is not the expected one is told with all that was seen', async (t) => {
  const view = { id: '1', state: 'finished', attempt: 1, outcome: 'success', reason: 'as it is' };
  t.doesNotThrow(() => ends(view, 'success'));
  t.throws(() => ends(view, 'cancelled'), /outcome is "success", expected "cancelled".*as it is/);
  t.throws(() => ends(view, 'success', 'EXCEPTION'), /code is undefined/);
  t.throws(() => ends({ ...view, state: 'running' }, 'success'), /state is "running"/);
});

t.test('a status that is not the expected one is told', async (t) => {
  const server = createServer((_request, response) => response.writeHead(503).end('{"no":1}'));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const http = new Http(`http://127.0.0.1:${port}`, 1);
  t.teardown(() => {
    http.close();
    server.close();
  });
  const session = new Session(http, port, new Random(1));
  await t.rejects(session.run({ code: '1' }), /status of POST .* is 503, expected 200; {"no":1}/);
  await t.rejects(session.send('GET', '/x', '', 'text/plain', 404), /is 503, expected 404/);
});
