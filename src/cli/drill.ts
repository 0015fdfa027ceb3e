import { join } from 'node:path';
import type { Command } from 'commander';
import { drillLimits } from '../drill/limits.js';
import type { DrillReport } from '../drill/tally.js';
import { packageRoot } from '../native.js';
import { exitCodes } from './exit-codes.js';
import { flagsOf } from './options.js';
import { lifelineVariable } from './part.js';
import { ProgressLine } from './progress.js';
import { wholeNumber } from './whole-number.js';

interface DrillFlags {
  seconds: number;
  killEveryMs: number;
  json?: true;
  keep?: boolean;
}

/** IDs of each sort that are printed; `--json` has all. */
const idsShownMax = 10;

export function addDrillCommand(program: Command): void {
  const { secondsDefault, secondsMax, killEveryMsDefault, killEveryMsMin } = drillLimits;
  program
    .command('drill')
    .description('proves on an instance of its own that nothing is lost when parts are killed')
    .option('--seconds <number>', 'how long', wholeNumber(1, secondsMax), secondsDefault)
    .option(
      '--kill-every-ms <number>',
      'time between two kills, on the average',
      wholeNumber(killEveryMsMin, secondsMax * 1_000),
      killEveryMsDefault,
    )
    .option('--json', 'print the report as JSON')
    .option('--keep', 'when something is missing, keep the data and the log to be looked at')
    .action(async ({ seconds, killEveryMs, json, keep = false }: DrillFlags) => {
      const { drill } = await import('../drill/drill.js');
      const { isWhole } = await import('../drill/tally.js');
      const stop = new AbortController();
      for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => stop.abort());
      const progress = new ProgressLine('drill, seconds');
      const ending = new ProgressLine('waiting for what is not finished; submitted');
      const report = await drill({
        ...{ seconds, killEveryMs, command: upCommand, stop: stop.signal },
        onKept: keep
          ? (folder) => void process.stderr.write(`scriptd: kept in ${folder}\n`)
          : undefined,
        onProgress(elapsed, submitted) {
          if (elapsed < seconds) progress.show(Math.floor(elapsed), seconds);
          else ending.show(submitted);
        },
      });
      progress.end();
      ending.end();
      process.stdout.write(json ? `${JSON.stringify(report)}\n` : text(report));
      if (!isWhole(report)) process.exitCode = exitCodes.failed;
    });
}

/** `up` as it is, but for its folder, its ports, and isolation, which is not what is drilled. */
function upCommand(dataDir: string) {
  const kept = Object.entries(process.env).filter(([name]) => !name.startsWith('SCRIPTD_'));
  const flags = flagsOf({
    dataDir,
    port: 0,
    debugPort: 0,
    workers: { python: 2, bash: 2, noop: 2 },
    isolation: 'none',
  });
  return {
    file: process.execPath,
    args: [join(packageRoot, 'bin', 'scriptd'), 'up', ...flags],
    env: { ...Object.fromEntries(kept), [lifelineVariable]: 'stdin' } as Record<string, string>,
  };
}

function text(report: DrillReport): string {
  const { submitted, finished, pending, dead, lost, twoOutcomes, doubled, notExecuted } = report;
  const { executedAgain, triedAgain, unacknowledged, sentAgain, kills, seconds } = report;
  const killed = Object.values(kills).reduce((sum, count) => sum + count, 0);
  const each = Object.entries(kills).map(([what, count]) => `${what} ${count}`);
  return [
    `submitted ${submitted} = finished ${finished} + pending ${pending} + dead ${dead}`,
    `acknowledged and lost: ${listed(lost)}`,
    `with two outcomes: ${listed(twoOutcomes)}`,
    `idempotency keys with two tasks: ${listed(doubled)}`,
    `successful and never executed: ${listed(notExecuted)}`,
    `executed more than once: ${executedAgain}; with more than one attempt: ${triedAgain}`,
    `requests sent again: ${sentAgain}; tasks whose answer was lost: ${unacknowledged}`,
    `kills: ${killed}${each.length > 0 ? ` (${each.join(', ')})` : ''}`,
    `time: ${seconds.toFixed(1)} s`,
    '',
  ].join('\n');
}

function listed(ids: readonly string[]): string {
  if (ids.length === 0) return '0';
  const more = ids.length > idsShownMax ? ', …' : '';
  return `${ids.length} (${ids.slice(0, idsShownMax).join(', ')}${more})`;
}
