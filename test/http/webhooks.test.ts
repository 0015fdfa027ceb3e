import t from 'tap';
import { readTaskBody } from '../../src/http/task-body.js';
import { specJson } from '../../src/http/task-spec-json.js';
import type { Delivery } from '../../src/webhook.js';
import { assertProblem, startDaemon } from './daemon.js';
import { pending, refuseWith, reply, taskId } from './fake-controller.js';

const path = `/v1/tasks/${taskId}/webhooks`;
const secret = `whsec_${Buffer.alloc(24, 1).toString('base64')}`;
const origin = 'https://example.com';
const at = Date.UTC(2026, 0, 1);
const time = '2026-01-01T00:00:00.000Z';
const delivery: Delivery = {
  ...{ finishedAt: at, since: at, state: 'due', tries: 1, nextAttemptAt: at },
  attempts: [{ at, durationMs: 12, status: 500, error: 'the receiver answered 500' }],
};

t.test('what came of a webhook is shown, and it is told again', async (t) => {
  const { ask, controller } = await startDaemon(t);
  const shown = {
    ...{ taskId, origin, webhookId: `task-${taskId}-${at}`, state: 'due', tries: 1 },
    attempts: [{ at: time, durationMs: 12, status: 500, error: 'the receiver answered 500' }],
    ...{ finishedAt: time, since: time, nextAttemptAt: time },
  };
  controller.behaviour = reply({ kind: 'delivery', taskId, origin, delivery });
  t.same((await ask({ path })).json, shown);
  t.equal((await controller.next('getDelivery')).taskId, taskId);
  const again = await ask({ method: 'POST', path: `${path}/redeliver` });
  t.match(again, { status: 202, json: shown });
  t.equal((await controller.next('redeliver')).taskId, taskId);
  controller.behaviour = reply({ kind: 'delivery', taskId, origin });
  t.same((await ask({ path })).json, { taskId, origin, state: 'waiting', tries: 0, attempts: [] });

  // As versions before kept them.
  const odd = [0, 99, 999].map((status) => ({ at, durationMs: 1, status }));
  controller.behaviour = reply({
    ...{ kind: 'delivery', taskId, origin },
    delivery: { ...delivery, attempts: odd },
  });
  t.match((await ask({ path })).json, { attempts: odd.map(({ status }) => ({ status })) });

  controller.behaviour = refuseWith('NO_WEBHOOK', 'it has none');
  assertProblem(t, await ask({ path }), 404, 'NO_WEBHOOK');
  controller.behaviour = refuseWith('NOT_FINISHED', 'it is not');
  const early = await ask({ method: 'POST', path: `${path}/redeliver` });
  assertProblem(t, early, 409, 'NOT_FINISHED');
  assertProblem(t, await ask({ path: '/v1/tasks/x/webhooks' }), 400, 'INVALID_TASK_ID');
  assertProblem(t, await ask({ path: `${path}?a=1` }), 400, 'UNKNOWN_PARAMETER');
});

t.test('a webhook that cannot be one is refused, with its field and the cure', async (t) => {
  const { ask, controller } = await startDaemon(t);
  controller.behaviour = reply({ kind: 'task', task: pending({ webhook: { origin } }) });
  const submit = (webhook: unknown) =>
    ask({
      method: 'POST',
      path: '/v1/tasks',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ code: 'x', webhook }),
    });
  for (const [webhook, field, detail] of [
    [{}, 'webhook.url', /missing/],
    [{ url: 'nonsense' }, 'webhook.url', /https:\/\/example.com/],
    [{ url: 'file:///etc/passwd' }, 'webhook.url', /must begin with https/],
    [{ url: 'https://a:b@example.com/' }, 'webhook.url', /user name or a password/],
    [{ url: 'https://example.com:25/' }, 'webhook.url', /port 25.*80, 443/],
    [{ url: 'http://example.com:0/' }, 'webhook.url', /port 0/],
    [{ url: `https://example.com/${'x'.repeat(2_100)}` }, 'webhook.url', /2048/],
    [{ url: `https://${'a.'.repeat(130)}com/` }, 'webhook.url', /host of 263 .* at most 253/],
    // Few characters, which are many in Punycode.
    [{ url: `https://${'ü.'.repeat(100)}com/` }, 'webhook.url', /at most 253/],
    [{ url: origin, secret: 'guess' }, 'webhook.secret', /whsec_.*openssl/],
    [{ url: origin, secret: `whsec_${'A'.repeat(16)}` }, 'webhook.secret', /24 to 64/],
    [{ url: origin, events: ['started'] }, 'webhook.events.0', /one of: finished/],
    [{ url: origin, events: [] }, 'webhook.events', /fewer than 1/],
    [{ url: origin, headers: { a: 'b' } }, 'webhook.headers', /not known/],
    ['https://example.com/', 'webhook', /object/],
  ] as const) {
    const { field: named, detail: said } = assertProblem(
      t,
      await submit(webhook),
      400,
      'INVALID_FIELD',
    );
    t.equal(named, field);
    t.match(said, detail);
    t.notMatch(said, /guess/);
  }
  t.same(controller.received, []);
  const answer = await submit({ url: `${origin}/done?key=1`, secret });
  t.equal(answer.status, 201);
  t.same(answer.json.webhook, { origin });
  const { task } = await controller.next('submit');
  t.same(task.webhook, { url: `${origin}/done?key=1`, secret });
  const longest = `${'a.'.repeat(125)}com`;
  t.equal((await submit({ url: `https://${longest}:65535/` })).status, 201);
});

t.test('a schedule shows its webhook without the secret', async (t) => {
  const spec = readTaskBody({ code: 'x', webhook: { url: origin, secret } }, 0);
  t.same(specJson(spec), { code: 'x', webhook: { url: origin } });
});
