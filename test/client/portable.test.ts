import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import t from 'tap';
import type { Attempt, FinishedTask, Task, TaskSpec } from '../../src/client/index.js';
import { TaskBody } from '../../src/http/task-body.js';
import { packageRoot } from '../../src/native.js';
import type { AttemptRecord, TaskView, TaskSpec as WireSpec } from '../../src/task.js';

t.test('nothing that the client loads is of Node, or of a package', async (t) => {
  const seen = new Set<string>();
  const look = (file: string) => {
    if (seen.has(file)) return;
    seen.add(file);
    const text = readFileSync(file, 'utf8');
    const code = text.replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, '');
    for (const [, name = ''] of code.matchAll(/(?:from|import)\s*\(?\s*['"]([^'"]+)['"]/g)) {
      t.match(name, /^\.{1,2}\//, `${name} in ${file}`);
      look(join(dirname(file), name));
    }
    t.notMatch(code, /\b(process|Buffer|require|global|__dirname|setImmediate)\b/, file);
  };
  look(join(packageRoot, 'dist/src/client/index.js'));
  t.ok(seen.size > 5, 'they are found');
});

t.test('the package exports it', async (t) => {
  const { Scriptd } = (await import('scriptd/client')) as { Scriptd: new () => { url: string } };
  t.equal(new Scriptd().url, 'http://127.0.0.1:5000');
});

t.test('it knows every member of a submission and of a task', async (t) => {
  // The compiler checks these: a member that the service has and the client lacks is an error here.
  type Nothing<Names extends never> = Names;
  type Missing<Ours, Theirs> = Exclude<keyof Theirs, keyof Ours>;
  /** Headers, in HTTP. */
  type Beside = 'idempotencyKey' | 'traceparent' | 'tracestate';
  const none: [
    Nothing<Exclude<Missing<TaskSpec, WireSpec>, Beside>>,
    Nothing<Missing<Task, TaskView>>,
    Nothing<Missing<Attempt, AttemptRecord>>,
  ][] = [];
  const known: Record<keyof TaskSpec, true> = {
    ...{ code: true, type: true, args: true, stdin: true, env: true, files: true, collect: true },
    ...{ limits: true, network: true, inspect: true, priority: true, retry: true, check: true },
    ...{ delayMs: true, runAt: true, expiresAfterMs: true, group: true, tags: true },
    webhook: true,
  };
  const finished: FinishedTask['state'] = 'finished';
  t.same(none, []);
  t.equal(finished, 'finished');
  t.same(Object.keys(known).sort(), Object.keys(TaskBody.properties).sort());
});
