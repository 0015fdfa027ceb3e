import { ends, type Kind } from './session.js';

/** What is refused: method, path, body, its type, and the status that it must get. */
const refused = [
  ['POST', '/v1/tasks', '{"code": "1", "typ": "python"}', 'application/json', 400],
  ['POST', '/v1/tasks', '{"code": ', 'application/json', 400],
  ['POST', '/v1/tasks', '{"code": "1", "type": "no-such"}', 'application/json', 422],
  ['POST', '/v1/tasks', 'code=1', 'application/x-www-form-urlencoded', 415],
  ['POST', '/execute?type=python&tipe=x', 'print(1)', 'text/plain', 400],
  ['GET', '/v1/tasks/00000000-0000-7000-8000-000000000000', '', 'text/plain', 404],
  ['GET', '/no/such/path', '', 'text/plain', 404],
  ['DELETE', '/v1/tasks', '', 'text/plain', 405],
] as const;

/** A script that would run for longer than the service is waited for: it has to be ended. */
const endless = 'import time; time.sleep(600)';

/** Requests and connections that are no good. */
export const brokenKinds: readonly Kind[] = [
  {
    name: 'broken: a bad request',
    weight: 8,
    async run(session) {
      const [method, path, body, type, status] = session.random.pick(refused);
      await session.send(method, path, body, type, status);
    },
  },
  {
    name: 'broken: no HTTP at all',
    weight: 2,
    run: (session) => session.breakOff('\x16\x03\x01 what is this\r\n\r\n', 20),
  },
  {
    name: 'broken: a body that does not end',
    weight: 2,
    async run(session) {
      const bytes = `${'x'.repeat(200_000)}`;
      await session.breakOff(head('/v1/tasks', 1_000_000) + bytes, session.random.int(0, 50));
    },
  },
  {
    name: 'broken: gone while its script runs',
    weight: 3,
    async run(session) {
      const bytes = head('/execute', endless.length) + endless;
      await session.breakOff(bytes, session.random.int(0, 500));
    },
  },
  {
    name: 'broken: gone before it has read an answer of 5 MB',
    weight: 1,
    isLarge: true,
    async run(session) {
      const code = 'print("x" * 5_000_000)';
      const body = JSON.stringify({ code, limits: { outputBytes: 5_242_880 } });
      const bytes = head('/v1/tasks?wait=60', body.length) + body;
      await session.breakOff(bytes, session.random.int(200, 600));
    },
  },
  {
    name: 'broken: a follower that leaves',
    weight: 2,
    async run(session) {
      const { id } = await session.submit({ type: 'bash', code: 'echo 1; sleep 0.5; echo 2' });
      const bytes = `GET /v1/tasks/${id}/events HTTP/1.1\r\nhost: localhost\r\n\r\n`;
      await session.breakOff(bytes, session.random.int(0, 300));
      const view = await session.finished(id);
      ends(view, 'success');
    },
  },
];

function head(path: string, bodyBytes: number): string {
  return (
    `POST ${path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n` +
    `content-length: ${bodyBytes}\r\n\r\n`
  );
}
