import { spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { packageRoot } from '../../src/native.js';
import { takeInheritedSockets } from '../../src/systemd/inherited-sockets.js';

const sockets = JSON.stringify(join(packageRoot, 'dist/src/systemd/inherited-sockets.js'));
/** Says what it took, or why not. */
const program = `
  const { takeInheritedSockets } = await import(${sockets});
  process.env.LISTEN_PID = String(process.pid);
  try {
    const taken = takeInheritedSockets(process.env, ['http', 'debug']);
    console.log(JSON.stringify({ taken, left: Object.keys(process.env).filter((name) => name.startsWith('LISTEN')) }));
  } catch (error) {
    console.log(JSON.stringify({ code: error.code, message: error.message }));
  }
`;

type Passed = 'tcp' | 'pipe';

/** A process that was started with these as descriptors 3, 4, …; what it says. */
async function started(t: Test, passed: Passed[], names: string) {
  const servers = await Promise.all(
    passed.map(async (kind) => {
      if (kind !== 'tcp') return kind;
      const server = createServer();
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      t.teardown(() => server.close());
      return server;
    }),
  );
  const env = { PATH: process.env.PATH, LISTEN_FDS: String(passed.length), LISTEN_FDNAMES: names };
  // @ts-expect-error: the handle of a server has a descriptor, which the types keep to themselves
  const fds = servers.map((server) => (server === 'pipe' ? 'pipe' : server._handle.fd));
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
    env,
    stdio: ['ignore', 'pipe', 'inherit', ...fds],
  });
  let text = '';
  for await (const chunk of child.stdout ?? []) text += String(chunk);
  const ports = servers.map((server) => (server === 'pipe' ? 0 : portOf(server.address())));
  return { ports, said: JSON.parse(text) };
}

function portOf(address: ReturnType<ReturnType<typeof createServer>['address']>): number {
  return typeof address === 'object' && address ? address.port : 0;
}

t.test('sockets are known by their names, in whatever order', async (t) => {
  const { ports, said } = await started(t, ['tcp', 'tcp'], 'debug:http');
  t.same(said, {
    taken: {
      debug: { fd: 3, host: '127.0.0.1', port: ports[0] },
      http: { fd: 4, host: '127.0.0.1', port: ports[1] },
    },
    left: [],
  });
});

t.test('one alone is taken', async (t) => {
  const { ports, said } = await started(t, ['tcp'], 'http');
  t.same(said.taken, { http: { fd: 3, host: '127.0.0.1', port: ports[0] } });
});

t.test('more than the two, others, and the same twice are refused', async (t) => {
  for (const names of ['http:debug:metrics', 'http:scriptd-http.socket:debug', 'http:http:debug']) {
    const { said } = await started(t, ['tcp', 'tcp', 'tcp'], names);
    t.equal(said.code, 'BAD_SOCKETS');
    t.match(said.message, /FileDescriptorName=/);
  }
  const { said } = await started(t, ['tcp'], '');
  t.match(said, { code: 'BAD_SOCKETS', message: /socket 1 of 1 is called ``/ });
});

t.test('what does not listen on TCP is refused', async (t) => {
  const { said } = await started(t, ['pipe'], 'http');
  t.match(said, { code: 'BAD_SOCKETS', message: /`http` \(fd 3\) does not listen on TCP/ });
});

t.test('those of another process are left alone', (t) => {
  t.same(takeInheritedSockets({ LISTEN_PID: '1', LISTEN_FDS: '2' }, ['http']), {});
  t.same(takeInheritedSockets({}, ['http']), {});
  t.end();
});
