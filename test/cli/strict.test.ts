import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import t from 'tap';
import { lackingForStrict } from '../worker/strict-host.js';
import { Service } from './service.js';

const skip = lackingForStrict();

t.test('up --isolation strict: scripts of every type run, shut in', { skip }, async (t) => {
  const workers = ['--workers', 'python=2,node=1,bash=1'];
  const service = await Service.start(t, ['--isolation', 'strict', ...workers]);
  const site = createServer((_request, response) => response.end('reached'));
  await new Promise<void>((resolve) => site.listen(0, '127.0.0.1', resolve));
  t.teardown(() => site.close());
  const { port } = site.address() as AddressInfo;
  writeFileSync(join(service.dataDir, 'secret'), 'a secret', { mode: 0o644 });
  const scripts = {
    python: 'import json, ssl, sqlite3, urllib.request; print(6 * 7)',
    node: "require('node:fs').writeFileSync('/tmp/x', '42'); console.log(6 * 7)",
    bash: "echo 6*7 | tr -d x | awk -F\\* '{ print $1 * $2 }'",
  };
  for (const [type, code] of Object.entries(scripts)) {
    const answer = await service.execute(code, `?type=${type}`);
    t.equal(answer.body.toString(), '42\n', type);
  }
  const attempts = {
    'read the data directory': `cat ${service.dataDir}/secret`,
    'reach this host': `exec 3<>/dev/tcp/127.0.0.1/${port}`,
    'write to the system': 'echo x > /usr/bin/x',
  };
  for (const [what, code] of Object.entries(attempts)) {
    t.equal((await service.execute(code, '?type=bash')).status, 422, what);
  }
  const memory = await service.submit(
    { code: 'x = bytearray(200 << 20)', type: 'python', limits: { memoryBytes: 64 << 20 } },
    '?wait=30',
  );
  t.match(memory.json, { outcome: 'runtime_error', code: 'MEMORY_LIMIT' });
  const usage = memory.json.usage as { processesPeak: number };
  t.ok(usage.processesPeak >= 1);
  t.same(await service.stop(), { code: 0, signal: null });
  t.same(service.processes(), []);
});
