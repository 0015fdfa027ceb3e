import type { ClientRequest } from 'node:http';
import Fastify from 'fastify';
import t, { type Test } from 'tap';
import { BodyRoom } from '../../src/http/body-room.js';
import { Checks } from '../../src/http/checks.js';
import { httpLimits } from '../../src/http/limits.js';
import { asProblem } from '../../src/http/problem.js';
import { Tokens } from '../../src/http/tokens.js';
import { type Answer, type Asking, ask, assertProblem, begin, startDaemon } from './daemon.js';
import { answerWith, pending } from './fake-controller.js';
import { bearer, sampleToken } from './token-samples.js';

/** To compile it takes about as long as it may, and each is another. */
const slow = (number: number) => ({
  schema: {
    allOf: Array.from({ length: 1_200 }, (_, index) => ({
      properties: { [`p${number}-${index}`]: true },
    })),
    unevaluatedProperties: false,
  },
});
const quick = { pattern: 'x' };

const submission = (check: object, headers: Record<string, string> = {}): Asking => ({
  method: 'POST',
  path: '/v1/tasks',
  headers: { 'content-type': 'application/json', ...headers },
  body: JSON.stringify({ code: '', check }),
});

/** Requests whose answers nobody needs, each on a connection of its own. */
class Crowd {
  readonly answers: Answer[] = [];
  readonly #requests: ClientRequest[] = [];

  constructor(t: Test, address: string, asking: (index: number) => Asking, count: number) {
    for (let index = 0; index < count; index++) {
      const told = (answer: Answer) => this.answers.push(answer);
      this.#requests.push(begin(address, asking(index), told, () => undefined));
    }
    t.teardown(() => this.leave());
  }

  /** The first that was told to come again. */
  async refusal(): Promise<Answer> {
    for (;;) {
      const found = this.answers.find(({ status }) => status === 429);
      if (found) return found;
      await soon();
    }
  }

  leave(): void {
    for (const request of this.#requests) request.destroy();
  }
}

const soon = () => new Promise((resolve) => setTimeout(resolve, 20));

t.test('the checks of one token hold up no other, and go with their clients', async (t) => {
  const [one, other] = [sampleToken(), sampleToken()];
  const tokens = new Tokens([one.record, other.record]);
  const { ask, address, controller } = await startDaemon(t, { tokens });
  controller.behaviour = answerWith(pending());
  const most = httpLimits.checksPerTokenMax;
  const ofOne = (index: number) => submission(slow(index), bearer(one.token));
  const crowd = new Crowd(t, address, ofOne, most + 1);
  const refused = await crowd.refusal();
  const { detail } = assertProblem(t, refused, 429, 'OVERLOADED');
  t.match(detail, new RegExp(`has ${most} checks of tasks`));
  t.equal(refused.headers['retry-after'], '1');
  t.equal((await ask(submission({ exact: 'x' }, bearer(one.token)))).status, 201);
  t.equal((await ask(submission(quick, bearer(other.token)))).status, 201);
  t.ok(crowd.answers.length < most / 2, 'it waited for few of them');

  crowd.leave();
  let answer = await ask(submission(quick, bearer(one.token)));
  for (; answer.status === 429; answer = await ask(submission(quick, bearer(one.token)))) {
    await soon();
  }
  t.equal(answer.status, 201);
  t.ok(crowd.answers.length < most / 2, 'and for none of those that had gone');
});

t.test('there are only so many checks, whoever asks', async (t) => {
  const { ask, address, controller } = await startDaemon(t);
  controller.behaviour = answerWith(pending());
  const crowd = new Crowd(
    t,
    address,
    (index) => submission(slow(index)),
    httpLimits.checksMax + 10,
  );
  const { detail } = assertProblem(t, await crowd.refusal(), 429, 'OVERLOADED');
  t.match(detail, new RegExp(`^${httpLimits.checksMax} checks of tasks`));
  crowd.leave();
  while ((await ask(submission(quick))).status !== 201) await soon();
});

t.test('a body counts until its check is answered', async (t) => {
  const checks = new Checks(new BodyRoom());
  t.teardown(() => checks.close());
  const app = Fastify();
  t.teardown(() => app.close());
  app.decorateRequest('caller', undefined);
  app.decorateRequest('bodyBytes', 0);
  app.setErrorHandler((error, _request, reply) => {
    const problem = asProblem(error);
    return reply.code(problem?.status ?? 500).send(problem?.body());
  });
  let asked = 0;
  app.post('/', async (request, reply) => {
    // Two of them have no room.
    request.bodyBytes = 0.6 * httpLimits.receivedBytesMax;
    asked += 1;
    await checks.refuseUnfit({ code: '', check: slow(asked) }, request, reply);
  });
  const address = await app.listen({ host: '127.0.0.1', port: 0 });
  const first = ask(address, { method: 'POST' });
  while (asked === 0) await soon();
  const second = ask(address, { method: 'POST' });
  t.match((await first).json, { status: 429, detail: /bodies .* this one began first/ });
  t.not((await second).status, 429);
  t.not((await ask(address, { method: 'POST' })).status, 429, 'and then no more');
});
