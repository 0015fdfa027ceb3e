import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { startGoJudge } from '../../../bench/peers/go-judge.js';
import { openIsolateBox } from '../../../bench/peers/isolate.js';
import { Poller } from '../../../src/poll/poller.js';

function executable(folder: string, text: string): string {
  const file = join(folder, 'program');
  writeFileSync(file, text);
  chmodSync(file, 0o755);
  return file;
}

t.test('go-judge is asked over HTTP, and must do what was asked', async (t) => {
  const standIn = fileURLToPath(new URL('stand-in-go-judge.js', import.meta.url));
  const text = `#!/bin/sh\nexec env -u NODE_OPTIONS ${process.execPath} ${standIn} "$@"\n`;
  const judge = await startGoJudge(executable(t.testdir(), text));
  t.teardown(() => judge.stop());
  await judge.run(['/bin/echo', 'one'], 'one\n');
  await t.rejects(judge.run(['/bin/echo', 'one'], 'two\n'), /go-judge answered 200: .*one/);
  await t.rejects(judge.run(['/bin/false'], ''), /Nonzero Exit Status/);
});

t.test('go-judge that ends at once is told', async (t) => {
  const file = executable(t.testdir(), '#!/bin/sh\nexit 3\n');
  await t.rejects(startGoJudge(file), { message: 'go-judge ended with 3' });
});

t.test('isolate has one box, made before and removed after', async (t) => {
  const folder = t.testdir();
  const log = join(folder, 'log');
  // The program to run comes behind --, as isolate has it.
  const file = executable(
    folder,
    `#!/bin/bash
echo "$*" >> ${log}
while [ $# -gt 0 ]; do [ "$1" = -- ] && { shift; exec "$@"; }; shift; done
`,
  );
  const poller = new Poller();
  t.teardown(() => poller.close());
  const box = openIsolateBox(file, poller);
  await box.run(['/bin/echo', 'one'], 'one\n');
  await t.rejects(box.run(['/bin/echo', 'one'], 'two\n'), /isolate printed "one\\n"/);
  await t.rejects(box.run(['/bin/false'], ''), /failed/);
  box.remove();
  const lines = readFileSync(log, 'utf8').trim().split('\n');
  t.equal(lines[0], '--box-id=900 --init');
  t.match(lines[1], /^--box-id=900 .*--run -- \/bin\/echo one$/);
  t.equal(lines.at(-1), '--box-id=900 --cleanup');
});
