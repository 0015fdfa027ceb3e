import { type Command, Option } from 'commander';
import { loadConfig } from '../config/load.js';
import type { Config } from '../config/settings.js';
import type { Evaluator } from '../scheduler/own-evaluator.js';
import type { ReplayTask, Waits } from '../scheduler/replay.js';
import type { Reader } from '../store/lmdb/reader.js';
import type { HistoryRecord } from '../store/port.js';
import { configFileOf } from './config.js';
import { addSettings } from './options.js';
import { ProgressLine } from './progress.js';
import { openedForReading } from './reading.js';
import { sinceMs } from './since.js';

interface Options {
  replay?: true;
  evaluator?: string;
  slots?: string;
  since?: string;
  json?: true;
}

/** Waits of one group: as they were, and as they would be under either rule. */
interface GroupReport {
  group: string;
  recorded: Waits;
  present: Waits;
  new: Waits;
}

interface Report {
  tasks: number;
  /** Finished without having begun, or of a type that has no slots. */
  leftOut: number;
  slots: Record<string, number>;
  slotsFrom: 'the command line' | 'the configuration' | 'the history';
  rules: { present: string; new: string };
  /** How often each rule failed, so that the built-in one was used. */
  faults: { present: number; new: number };
  groups: GroupReport[];
}

export function addEvaluateCommand(program: Command): void {
  const command = program
    .command('evaluate')
    .description('tries a rule of scoring on what was: also while scriptd runs')
    .addOption(
      new Option('--replay', 'run the recorded tasks again, on paper').makeOptionMandatory(),
    )
    .option('--evaluator <file>', 'the rule to try; without it, the built-in one')
    .option(
      '--slots <type=slots,...>',
      'as many as there are; else of the configuration or history',
    )
    .option('--since <time>', 'tasks that finished after it: RFC 3339, or so long ago, e.g. 24h')
    .option('--json', 'print the report as JSON');
  addSettings(command, []).action(async () => {
    const report = await evaluate(command, command.opts<Options>());
    process.stdout.write(
      command.opts<Options>().json ? `${JSON.stringify(report)}\n` : tableOf(report),
    );
  });
}

async function evaluate(command: Command, options: Options): Promise<Report> {
  const { loadEvaluatorModule } = await import('../controller/evaluator-module.js');
  const { evaluatorOf } = await import('../scheduler/own-evaluator.js');
  const { replay, slotsSeen, waitsOf } = await import('../scheduler/replay.js');
  const config = configWithout(command);
  const faults = { present: 0, new: 0 };
  const ruleOf = async (which: 'present' | 'new', file: string) => {
    const module = file === '' ? undefined : await loadEvaluatorModule(file);
    return evaluatorOf(module, () => {
      faults[which]++;
    });
  };
  const present = await ruleOf('present', config.evaluator);
  const next = await ruleOf('new', options.evaluator ?? '');
  const { runs, unbegun, rate } = await readHistory(config, options.since);
  const given = Object.entries(config.workers);
  const slots = given.length > 0 ? new Map(given) : slotsSeen(runs);
  const groups = new Map(Object.entries(config.groups));
  const kept = runs.filter(({ type }) => slots.has(type));
  const under = (evaluator: Evaluator) =>
    replay(
      kept.map((run) => taskOf(run, rate, evaluator, [...slots.keys()])),
      { slots, groups },
    );
  const waits = {
    recorded: kept.map(({ createdAt, startedAt }) => startedAt - createdAt),
    present: under(present),
    new: under(next),
  };
  const names = [...new Set(kept.map(({ group = '' }) => group))].sort();
  return {
    tasks: kept.length,
    leftOut: unbegun + runs.length - kept.length,
    slots: Object.fromEntries(slots),
    slotsFrom:
      options.slots !== undefined
        ? 'the command line'
        : given.length > 0
          ? 'the configuration'
          : 'the history',
    rules: { present: config.evaluator || 'built-in', new: options.evaluator ?? 'built-in' },
    faults,
    groups: names.map((group) => {
      const own = (all: readonly number[]) =>
        waitsOf(all.filter((_, index) => (kept[index]?.group ?? '') === group));
      return {
        group,
        recorded: own(waits.recorded),
        present: own(waits.present),
        new: own(waits.new),
      };
    }),
  };
}

/** Here --evaluator is the new rule; the configuration has the present one. */
function configWithout(command: Command): Config {
  const { evaluator: _, slots, since: __, json: ___, replay: ____, ...flags } = command.opts();
  return loadConfig({
    flags: { ...flags, ...(slots !== undefined && { workers: slots }) },
    env: process.env,
    file: configFileOf(command),
  });
}

type HistoryRun = HistoryRecord & { startedAt: number };
type Rate = Reader['spec'];

async function readHistory(
  config: Config,
  since: string | undefined,
): Promise<{ runs: HistoryRun[]; unbegun: number; rate: Rate }> {
  const { Reader } = await import('../store/lmdb/reader.js');
  const environment = await openedForReading(config);
  const reader = new Reader(environment.databases);
  const from = since === undefined ? 0 : sinceMs(since, Date.now());
  const progress = new ProgressLine('reading');
  const runs: HistoryRun[] = [];
  let unbegun = 0;
  for (const records of reader.history({ from, to: Number.POSITIVE_INFINITY })) {
    for (const record of records) {
      if (record.startedAt === undefined) unbegun++;
      else runs.push({ ...record, startedAt: record.startedAt });
    }
    progress.show(runs.length);
  }
  progress.end();
  // Ids are in order of submission within a millisecond (UUIDv7).
  runs.sort((a, b) => a.createdAt - b.createdAt || (a.id < b.id ? -1 : 1));
  return { runs, unbegun, rate: (id) => reader.spec(id) };
}

function taskOf(
  run: HistoryRun,
  specOf: Rate,
  evaluator: Evaluator,
  known: readonly string[],
): ReplayTask {
  const { id, group, priority, createdAt, startedAt, finishedAt } = run;
  // Absent when the retention has removed it in the meantime.
  const spec = specOf(id);
  const rated = {
    code: spec?.code ?? '',
    priority,
    tags: spec?.tags ?? [],
    createdAt,
    ...(group !== undefined && { group }),
  };
  const asked = spec?.type;
  const routed = evaluator.route({ ...rated, ...(asked !== undefined && { type: asked }) }, known);
  return {
    ...{ id, priority, createdAt },
    type: 'type' in routed ? routed.type : run.type,
    group: group ?? '',
    // Clocks are set, too.
    serviceMs: Math.max(0, finishedAt - startedAt),
    score: evaluator.score({ ...rated, type: run.type }, createdAt),
  };
}

function tableOf(report: Report): string {
  const { groups, tasks, leftOut, slots, slotsFrom, rules, faults } = report;
  const taken = Object.entries(slots).map(([type, count]) => `${type}=${count}`);
  const lines = [
    `${tasks} tasks (${leftOut} left out), slots ${taken.join(',') || 'none'} of ${slotsFrom}`,
    `present rule: ${rules.present}; new rule: ${rules.new}`,
  ];
  for (const which of ['present', 'new'] as const) {
    if (faults[which] === 0) continue;
    lines.push(`the ${which} rule failed ${faults[which]} times; the built-in one was used for it`);
  }
  const rows = groups.map(({ group, ...waits }) => [
    group === '' ? '(none)' : group,
    String(waits.present.tasks),
    waitText(waits.recorded),
    waitText(waits.present),
    waitText(waits.new),
  ]);
  const head = ['group', 'tasks', 'recorded', 'present rule', 'new rule'];
  const table = [head, ...rows];
  const widths = head.map((_, column) => Math.max(...table.map((row) => row[column]?.length ?? 0)));
  lines.push('', 'waiting time in ms: p50 / p95 / max');
  for (const row of table) {
    lines.push(
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    );
  }
  return `${lines.join('\n')}\n`;
}

function waitText({ p50Ms, p95Ms, maxMs }: Waits): string {
  return [p50Ms, p95Ms, maxMs].map((ms) => Math.round(ms).toLocaleString('en')).join(' / ');
}
