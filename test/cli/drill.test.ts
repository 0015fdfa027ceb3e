import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import t from 'tap';
import { type DrillReport, isWhole, type KeptTask, Tally } from '../../src/drill/tally.js';
import { packageRoot } from '../../src/native.js';
import { scriptd } from './scriptd.js';
import { until } from './service.js';

// Where the drills of these tests have their folders: others may be held at the same time.
const place = mkdtempSync(join(tmpdir(), 'scriptd-drills-'));
process.env.TMPDIR = place;
t.teardown(() => rmSync(place, { recursive: true, force: true }));

/** Folders of drills, and processes that know one. */
function remains(): string[] {
  const commands = readdirSync('/proc').filter((name) => {
    if (!/^\d+$/.test(name)) return false;
    try {
      return readFileSync(`/proc/${name}/cmdline`, 'utf8').includes(place);
    } catch (error) {
      // It has ended.
      return !(error instanceof Error);
    }
  });
  return [...readdirSync(place), ...commands];
}

t.test('parts are killed for 20 seconds: nothing is lost, nothing is left behind', async (t) => {
  const args = ['drill', '--seconds', '20', '--kill-every-ms', '2000', '--json'];
  const { code, stdout, stderr } = await scriptd(args, place);
  t.equal(code, 0, stderr);
  const report = JSON.parse(stdout) as DrillReport;
  const { submitted, finished, pending, dead, lost, twoOutcomes, doubled, notExecuted } = report;
  t.comment(stdout);
  t.equal(submitted, finished + pending + dead);
  t.ok(submitted > 0, 'something was submitted');
  t.ok(Object.keys(report.kills).length > 1, 'parts were killed');
  t.same(
    { lost, twoOutcomes, doubled, notExecuted, pending },
    {
      ...{ lost: [], twoOutcomes: [], doubled: [], notExecuted: [], pending: 0 },
    },
  );
  t.same(remains(), []);
});

t.test('a drill of no length is refused', async (t) => {
  const { code, stderr } = await scriptd(['drill', '--seconds', '0'], place);
  t.equal(code, 64);
  t.match(stderr, /whole number from 1/);
});

/** A task that succeeded at once. */
const task = (id: string, changes: Partial<KeptTask> = {}): KeptTask => ({
  ...{ id, state: 'finished', outcome: 'success', attempt: 1, attempts: [{ outcome: 'success' }] },
  ...changes,
});

function tallyOf(...ids: string[]): Tally {
  const tally = new Tally();
  for (const id of ids) tally.acknowledged(id, `mark-${id}`, true);
  return tally;
}

t.test('the books are whole when everything acknowledged came to one end', async (t) => {
  const dead = { outcome: 'network_fail', attempts: [{ outcome: 'network_fail' }] };
  const kept = [task('a'), task('b', { ...dead, deadLetter: true }), task('of nobody')];
  const report = tallyOf('a', 'b').report(kept, ['mark-a', 'mark-a'], 1);
  t.match(report, { submitted: 2, finished: 1, dead: 1, executedAgain: 1, unacknowledged: 1 });
  t.ok(isWhole(report));
});

t.test('each thing that may go wrong is found', async (t) => {
  const marks = ['mark-a', 'mark-b'];
  const lost = tallyOf('a', 'b').report([task('a')], marks, 1);
  t.same(lost.lost, ['b']);
  const pending = tallyOf('a').report([task('a', { state: 'running' })], marks, 1);
  t.equal(pending.pending, 1);
  const notExecuted = tallyOf('a', 'c').report([task('a'), task('c')], marks, 1);
  t.same(notExecuted.notExecuted, ['c']);

  const seen = tallyOf('a');
  seen.saw('a', { outcome: 'runtime_error', attempt: 1 });
  const otherOutcome = seen.report([task('a')], marks, 1);
  t.same(otherOutcome.twoOutcomes, ['a']);
  const attempts = [{ outcome: 'success' }, { outcome: 'success' }];
  const again = tallyOf('a').report([task('a', { attempt: 2, attempts })], marks, 1);
  t.same(again.twoOutcomes, ['a']);

  const keys = tallyOf('a', 'b');
  keys.repeated('mark-a', 'a', 'b');
  const doubled = keys.report([task('a'), task('b')], marks, 1);
  t.same(doubled.doubled, ['mark-a']);

  const nothing = tallyOf().report([], [], 1);
  const reports = { lost, pending, notExecuted, otherOutcome, again, doubled, nothing };
  for (const [name, report] of Object.entries(reports)) t.notOk(isWhole(report), name);
});

t.test('a drill that is ended early leaves nothing behind either', async (t) => {
  const clean = ['-u', 'NODE_OPTIONS', join(packageRoot, 'bin', 'scriptd'), 'drill'];
  const child = spawn('env', clean, { stdio: ['ignore', 'ignore', 'pipe'] });
  const said = text(child.stderr);
  await until('its parts run', () => remains().length >= 4);
  child.kill('SIGTERM');
  await once(child, 'exit');
  t.equal(child.exitCode, 1);
  t.match(await said, /ended early/);
  t.same(remains(), []);
});
