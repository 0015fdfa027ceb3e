import t from 'tap';
import { BatchCall } from '../http/lines.js';
import { Service, until } from './service.js';

t.test('a batch runs, and what a client was told of stays when it goes', async (t) => {
  const service = await Service.start(t, ['--workers', 'bash=2', '--isolation', 'none']);
  const call = new BatchCall(t, service.address, '/v1/tasks/batch?wait=60');
  const count = 20;
  for (let number = 1; number <= count; number++) {
    call.write({ type: 'bash', code: `echo ${number}`, tags: ['batch'] });
  }
  call.write({ type: 'bash', code: 'exit 3' }, { type: 'cobol', code: '' });
  const lines = await call.rest();
  const last = new Map(lines.map((line) => [line.line, line]));
  for (let number = 1; number <= count; number++) {
    t.match(last.get(number), {
      status: 200,
      task: { state: 'finished', outcome: 'success', stdout: `${number}\n` },
    });
  }
  t.match(last.get(count + 1), { status: 200, task: { outcome: 'runtime_error', exitCode: 3 } });
  t.match(last.get(count + 2), { status: 422, error: { code: 'UNKNOWN_TYPE', field: 'type' } });
  t.equal(lines.filter(({ status }) => status === 201).length, count + 1);

  const gone = new BatchCall(t, service.address);
  const line = { type: 'bash', code: 'echo here', tags: ['gone'] };
  gone.write(line, line, line, '{"type":"bash","code":"echo never","tags":["half"]');
  const told: string[] = [];
  while (told.length < 3) told.push((await gone.next())?.task?.id ?? '');
  gone.request.destroy();
  for (const id of told) {
    await until(`task ${id} is finished`, async () => {
      const { status, json } = await service.request('GET', `/v1/tasks/${id}`);
      t.equal(status, 200);
      return json.state === 'finished';
    });
  }
  const listed = async (query: string) => (await service.request('GET', `/v1/tasks?${query}`)).json;
  const { tasks } = await listed('tag=gone');
  t.same((tasks as { id: string }[]).map(({ id }) => id).sort(), told.sort());
  t.same((await listed('tag=half')).tasks, [], 'half a line is none');

  const first = await listed('tag=batch&limit=7');
  t.match(first.next, /^[A-Za-z0-9_-]{16}$/);
  t.equal(((await listed(`tag=batch&cursor=${first.next}`)).tasks as unknown[]).length, count - 7);
  for (const cursor of ['bogus', '3', String(first.next).toLowerCase().slice(1)]) {
    const { status, json } = await service.request('GET', `/v1/tasks?cursor=${cursor}`);
    t.equal(status, 400, cursor);
    t.equal(json.code, 'BAD_CURSOR');
  }
});
