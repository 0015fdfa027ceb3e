import t from 'tap';
import { type Baseline, engine, type Recorded } from '../../../bench/guard/baseline.js';
import { noiseOf } from '../../../bench/guard/statistics.js';
import { fails, judge, judgeAll, toleranceOf } from '../../../bench/guard/verdict.js';

function recordedOf(samples: readonly number[]): Recorded {
  const value = samples[Math.floor(samples.length / 2)] ?? Number.NaN;
  return { value, noise: noiseOf(samples), samples };
}

function baselineOf(quantities: Record<string, Recorded>, v8 = engine()): Baseline {
  const host = { kernel: '6.1', node: process.version, arch: process.arch };
  return { reason: 'a test', recordedAt: '2026-01-01', ...host, v8, quantities };
}

const name = 'system calls: http, per task in turn';
const tight = recordedOf([1000, 1000, 1000]);
const loose = recordedOf([900, 1000, 1100]);

t.test('the tolerance is what was measured, and never less than a hundredth', async (t) => {
  t.equal(toleranceOf(name, tight), 10);
  t.equal(toleranceOf(name, loose), 300);
  t.equal(toleranceOf(name, recordedOf([1, 1, 1])), 0.05);
  t.equal(toleranceOf('instructions: frame', tight), 100, 'of what V8 compiles a tenth');
});

t.test('a change is worse or better only beyond the tolerance', async (t) => {
  t.equal(judge(name, tight, 1010).verdict, 'as before');
  t.equal(judge(name, tight, 1010.5).verdict, 'worse');
  t.equal(judge(name, tight, 990).verdict, 'as before');
  t.equal(judge(name, tight, 989.5).verdict, 'better');
  t.equal(judge(name, loose, 1299).verdict, 'as before');
  t.equal(judge(name, loose, 1301).verdict, 'worse');
});

t.test('a loss fails, a gain does not', async (t) => {
  const failsAt = (now: number) => {
    const found = { values: new Map([[name, now]]), unmeasured: [] };
    return fails(judgeAll(baselineOf({ [name]: tight }), found), { all: true });
  };
  t.equal(failsAt(1000), false);
  t.equal(failsAt(500), false);
  t.equal(failsAt(1500), true);
});

t.test('what is not measured is named with its reason, and fails where all must be', async (t) => {
  const unmeasured = [{ of: 'system calls', why: 'there is no strace' }];
  const judged = judgeAll(baselineOf({ [name]: tight }), { values: new Map(), unmeasured });
  t.match(judged, [{ name, verdict: 'not measured here', why: 'there is no strace' }]);
  t.equal(fails(judged, { all: false }), false);
  t.equal(fails(judged, { all: true }), true);
});

t.test(
  "of the two versions of cgroups the host has one, which may not be the baseline's",
  async (t) => {
    const [one, two] = [1, 2].map(
      (version) => `system calls: worker, per python run, cgroup v${version}`,
    );
    const found = { values: new Map([[two ?? '', 90]]), unmeasured: [] };
    const judged = judgeAll(baselineOf({ [one ?? '']: tight }), found);
    t.match(judged, [{ name: two, verdict: 'not comparable here', why: /cgroup v1/ }]);
    t.equal(judged.length, 1);
    t.equal(fails(judged, { all: true }), false);
  },
);

t.test('what the baseline does not have is named, and fails where all must be there', async (t) => {
  const judged = judgeAll(baselineOf({}), { values: new Map([[name, 7]]), unmeasured: [] });
  t.match(judged, [{ name, verdict: 'not recorded', now: 7 }]);
  t.equal(fails(judged, { all: false }), false);
  t.equal(fails(judged, { all: true }), true);
});

t.test('instructions of another engine are not compared, system calls are', async (t) => {
  const steps = 'instructions: json body';
  const baseline = baselineOf({ [name]: tight, [steps]: tight }, '9.9.9');
  const values = new Map([name, steps].map((one) => [one, 5000]));
  const [calls, instructions] = judgeAll(baseline, { values, unmeasured: [] });
  t.equal(calls?.verdict, 'worse');
  t.equal(instructions?.verdict, 'not comparable here');
  t.match(instructions?.why, /V8 9\.9\.9/);
});
