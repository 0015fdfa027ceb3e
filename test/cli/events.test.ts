import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { EventReader, outputOf, type SseEvent } from '../http/event-reader.js';
import { Service, until } from './service.js';

/** Prints a line, waits until the test has made a file, and prints another. */
const twoLines = (release: string) => `
import os, time
print("first")
while not os.path.exists(${JSON.stringify(release)}): time.sleep(0.01)
print("second")
`;

/** Without isolation, so that the script sees the files of the test. */
const oneWorker = ['--isolation', 'none', '--workers', 'python=1'];

const open = (service: Service, id: unknown, lastEventId?: string) =>
  EventReader.open(service.address, `/v1/tasks/${id}/events`, {
    ...(lastEventId !== undefined && { 'last-event-id': lastEventId }),
  });

/** All up to the end of a line of the first attempt's stdout. */
async function upToLine(reader: EventReader, attempt = 1): Promise<SseEvent[]> {
  const events: SseEvent[] = [];
  for (;;) {
    const event = await reader.next();
    if (!event) throw new Error(`the stream ended: ${reader.comments.join('; ')}`);
    events.push(event);
    if (outputOf(events, 'stdout', attempt).at(-1) === 0x0a) return events;
  }
}

const states = (events: SseEvent[]) =>
  events
    .filter(({ name }) => name === 'state')
    .map(({ data }) => `${data.attempt} ${data.state}${data.code ? ` ${data.code}` : ''}`);

t.test('what a script prints is there while it runs, and the rest follows', async (t) => {
  const service = await Service.start(t, oneWorker);
  const release = join(service.dataDir, 'release');
  const { json: task } = await service.submit({ type: 'python', code: twoLines(release) });
  const reader = await open(service, task.id);
  const begun = await upToLine(reader);
  t.equal(outputOf(begun, 'stdout', 1).toString(), 'first\n');
  t.same(states(begun), ['0 pending', '1 running']);
  const { json: meanwhile } = await service.request('GET', `/v1/tasks/${task.id}`);
  t.equal(meanwhile.state, 'running', 'the script has not gone on');
  const late = await open(service, task.id, begun.at(-1)?.id);
  writeFileSync(release, '');
  const all = [...begun, ...(await reader.rest())];
  t.equal(outputOf(all, 'stdout', 1).toString(), 'first\nsecond\n');
  t.match(all.at(-1), { name: 'end', data: { id: task.id, outcome: 'success' } });
  const resumed = [...begun, ...(await late.rest())];
  t.equal(outputOf(resumed, 'stdout', 1).toString(), 'first\nsecond\n');
  t.equal((await open(service, task.id, all.at(-1)?.id)).status, 204);
});

t.test(
  'a stream outlives the controller, and the next attempt when a worker is lost',
  async (t) => {
    const service = await Service.start(t, oneWorker);
    const release = join(service.dataDir, 'release');
    const { json: task } = await service.submit({
      ...{ type: 'python', code: twoLines(release) },
      retry: { baseMs: 1 },
    });
    const reader = await open(service, task.id);
    const events = await upToLine(reader);
    process.kill(service.partPid('controller'), 'SIGKILL');
    // Its workers go on, and the one that takes its place hears of them.
    await until('the controller is back', async () => {
      const { status, json } = await service.request('GET', `/v1/tasks/${task.id}`);
      return status === 200 && json.state === 'running';
    });
    process.kill(service.partPid('worker'), 'SIGKILL');
    events.push(...(await upToLine(reader, 2)));
    writeFileSync(release, '');
    events.push(...(await reader.rest()));
    t.same(states(events), [
      '0 pending',
      '1 running',
      '1 pending WORKER_LOST',
      '2 running',
      '2 finished',
    ]);
    t.equal(outputOf(events, 'stdout', 1).toString(), 'first\n');
    t.equal(outputOf(events, 'stdout', 2).toString(), 'first\nsecond\n');
    t.equal(events.at(-1)?.name, 'end');
  },
);

t.test('output goes on live under a new controller', async (t) => {
  const service = await Service.start(t, oneWorker);
  const release = join(service.dataDir, 'release');
  const code = `${twoLines(release)}\ntime.sleep(60)`;
  const { json: task } = await service.submit({ type: 'python', code });
  const reader = await open(service, task.id);
  const events = await upToLine(reader);
  process.kill(service.partPid('controller'), 'SIGKILL');
  writeFileSync(release, '');
  events.push(await reader.find(({ name, data }) => name === 'stdout' && data.offset === 6));
  t.equal(outputOf(events, 'stdout', 1).toString().slice(0, 7), 'first\ns');
  const { json: cancelled } = await service.request('POST', `/v1/tasks/${task.id}/cancel`);
  t.equal(cancelled.outcome, 'cancelled', 'it ran all the while');
  events.push(...(await reader.rest()));
  t.equal(outputOf(events, 'stdout', 1).toString(), 'first\nsecond\n');
});

t.test('when the HTTP daemon is replaced the client goes on where it was', async (t) => {
  const service = await Service.start(t, oneWorker);
  const release = join(service.dataDir, 'release');
  const { json: task } = await service.submit({ type: 'python', code: twoLines(release) });
  const reader = await open(service, task.id);
  const events = await upToLine(reader);
  const pid = service.partPid('http');
  process.kill(pid, 'SIGKILL');
  await t.rejects(reader.rest(), 'the connection broke');
  service.disconnect();
  await until('another answers', async () => {
    const answer = await service.request('GET', '/readyz').catch(() => undefined);
    return answer?.status === 200;
  });
  const next = await open(service, task.id, events.at(-1)?.id);
  writeFileSync(release, '');
  events.push(...(await next.rest()));
  t.equal(outputOf(events, 'stdout', 1).toString(), 'first\nsecond\n');
  t.equal(events.at(-1)?.name, 'end');
});
