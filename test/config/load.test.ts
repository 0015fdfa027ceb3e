import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { loadConfig } from '../../src/config/load.js';

/** The configuration that this file alone gives. */
function load(test: Test, text: string) {
  const folder = mkdtempSync(join(tmpdir(), 'scriptd-config-'));
  test.teardown(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'scriptd.yaml');
  writeFileSync(file, text);
  return loadConfig({ flags: {}, env: {}, file });
}

t.test('runtimes give network, limits and what is loaded ahead', async (t) => {
  const { limits, runtimes } = load(
    t,
    `
limits: { wallMs: 10000, memoryBytes: 268435456 }
runtimes:
  python:
    network: host
    limits: { wallMs: 60000 }
    limitsMax: { wallMs: 60000, files: 1000 }
    preload: [json, urllib.request]
    aslr: fresh
`,
  );
  t.same(limits, { wallMs: 10_000, memoryBytes: 268_435_456 });
  t.same(runtimes.python, {
    network: 'host',
    limits: { wallMs: 60_000 },
    limitsMax: { wallMs: 60_000, files: 1_000 },
    preload: ['json', 'urllib.request'],
    aslr: 'fresh',
  });
  t.same(load(t, '').limits, {});
});

t.test('a value that cannot be is refused, with its place and the cure', async (t) => {
  const cases: [string, RegExp][] = [
    ['limits: { wallMS: 1 }', /`limits` in .*`wallMS` is not known; did you mean `wallMs`\?/],
    ['limits: { wallMs: 86400001 }', /`wallMs` must be <= 86400000/],
    ['limits: { memoryBytes: 1 }', /`memoryBytes` must be >= 1048576/],
    ['limits: { wallMs: "10s" }', /`wallMs` must be integer/],
    ['runtimes: { python: { network: all } }', /`python.network` must be one of: none, host/],
    ['runtimes: { python: { netwrok: host } }', /did you mean `python.network`\?/],
    ['runtimes: { python: { limitsMax: { cpu: 1 } } }', /`python.limitsMax.cpu` is not known/],
    ['runtimes: { python: { aslr: off } }', /`python.aslr` must be one of: shared, fresh/],
    ['runtimes: { python: { preload: ["os; x"] } }', /`python.preload.0` must match pattern/],
  ];
  for (const [text, message] of cases) {
    t.throws(() => load(t, text), { code: 'BAD_CONFIG', message }, text);
  }
  const env = { SCRIPTD_LIMITS: 'wallMs=1' };
  t.throws(() => loadConfig({ flags: {}, env, file: undefined }), { code: 'BAD_CONFIG' });
});

t.test('a default of a runtime above its own maximum is refused', async (t) => {
  const text = (wallMs: number) =>
    `runtimes: { node: { limits: { wallMs: ${wallMs} }, limitsMax: { wallMs: 5000 } } }`;
  t.throws(() => load(t, text(5_001)), {
    code: 'BAD_CONFIG',
    message: /`runtimes.node.limits.wallMs` in .* is 5001, above `limitsMax.wallMs` \(5000\)/,
  });
  t.same(load(t, text(5_000)).runtimes.node?.limits, { wallMs: 5_000 });
  const shared = 'limits: { wallMs: 6000 }\nruntimes: { node: { limitsMax: { wallMs: 5000 } } }';
  t.same(load(t, shared).limits, { wallMs: 6_000 }, 'what is for all types is lowered instead');
});
