import { readFileSync } from 'node:fs';
import { type Command, Option } from 'commander';
import { parse } from 'yaml';
import type { Answer } from '../checker/answer.js';
import type { Checker } from '../checker/checker.js';
import { type FinishedTask, isFinished, type Scriptd } from '../client/index.js';
import { loadConfig } from '../config/load.js';
import { errorMessage, ScriptdError } from '../errors.js';
import { validator } from '../schema.js';
import { Check } from '../task.js';
import { configFileOf } from './config.js';
import { addSettings } from './options.js';
import { ProgressLine } from './progress.js';
import { clientFor } from './service-client.js';
import { sinceMs } from './since.js';

/** Only what exited with 0 was checked, or would be. */
const checkedOutcomes = ['success', 'format_error'] as const;

/** Of tasks that run a checker script for this command. */
const ownTag = 'scriptd-check';

interface Options {
  dryRun?: true;
  check: string;
  url?: string;
  type?: string;
  group?: string;
  tag?: string;
  since?: string;
  rerunChanged?: true;
  json?: true;
}

/** What the new check makes of one task. */
interface Line {
  id: string;
  old: string;
  new: string;
  changed: boolean;
  /** Why, where it does not pass. */
  why?: string;
  rerun?: true;
}

export function addCheckCommand(program: Command): void {
  const command = program
    .command('check')
    .description('tries a format check on results that there are')
    .addOption(
      new Option(
        '--dry-run',
        'judge stored outputs again, and change nothing',
      ).makeOptionMandatory(),
    )
    .requiredOption(
      '--check <file>',
      'the check, as JSON or YAML: {pattern: ...}, {schema: ...}, ...',
    )
    .option('--url <url>', 'of the running service; default: its --host and --port')
    .option('--type <type>', 'tasks of this type')
    .option('--group <group>', 'tasks of this group')
    .option('--tag <tag>', 'tasks with this tag')
    .option('--since <time>', 'tasks submitted after it: RFC 3339, or so long ago, e.g. 24h')
    .option('--rerun-changed', 'send those again whose verdict changes')
    .option('--json', 'print a line of JSON for each task, and the summary');
  addSettings(command, ['host', 'port', 'tokenFile']).action(async () => {
    await dryRun(command, command.opts<Options>());
  });
}

async function dryRun(command: Command, options: Options): Promise<void> {
  // Here --type chooses tasks; as a setting it is a worker's.
  const { type: _, ...flags } = command.opts();
  const config = loadConfig({ flags, env: process.env, file: configFileOf(command) });
  const check = readCheck(options.check);
  const { Checker } = await import('../checker/checker.js');
  const { url = process.env.SCRIPTD_URL || `http://${config.host}:${config.port}` } = options;
  const service = clientFor({ url, tokenFile: config.tokenFile });
  const since = options.since === undefined ? 0 : sinceMs(options.since, Date.now());
  const checker = new Checker();
  const progress = new ProgressLine('checking, task');
  const counts = { tasks: 0, changed: 0, passed: 0, refused: 0, failed: 0, rerun: 0 };
  try {
    const fault = await checker.compile(check);
    if (fault) throw new ScriptdError('BAD_CHECK', `${options.check}: ${fault.message}`);
    for await (const task of tasksOf(service, options, since)) {
      const line = await judged(task, check, { checker, service });
      if (line.changed && options.rerunChanged) {
        await service.retry(line.id);
        line.rerun = true;
      }
      counts.tasks++;
      count(counts, line);
      progress.end();
      process.stdout.write(options.json ? `${JSON.stringify(line)}\n` : lineText(line));
      progress.show(counts.tasks);
    }
  } finally {
    progress.end();
    checker.close();
  }
  if (options.json) {
    process.stdout.write(`${JSON.stringify({ summary: counts })}\n`);
    return;
  }
  const { tasks, changed, passed, refused, failed, rerun } = counts;
  process.stdout.write(
    `${tasks} tasks: ${passed} pass, ${refused} do not` +
      `${failed > 0 ? `, of ${failed} the check failed` : ''}; ${changed} verdicts change` +
      `${options.rerunChanged ? `, ${rerun} tasks sent again` : ''}\n`,
  );
}

function count(
  counts: Record<'changed' | 'passed' | 'refused' | 'failed' | 'rerun', number>,
  line: Line,
) {
  counts[line.new === 'success' ? 'passed' : line.new === 'CHECK_FAILED' ? 'failed' : 'refused']++;
  if (line.changed) counts.changed++;
  if (line.rerun) counts.rerun++;
}

const checks = validator(Check);

/** @throws ScriptdError BAD_CHECK */
function readCheck(file: string): Check {
  let value: unknown;
  try {
    // JSON is YAML, too.
    value = parse(readFileSync(file, 'utf8'));
  } catch (error) {
    throw new ScriptdError('BAD_CHECK', `${file} cannot be read: ${errorMessage(error)}`);
  }
  if (checks.fits(value)) return value;
  const { message } = checks.misfit(value) ?? { message: 'it is no check' };
  throw new ScriptdError('BAD_CHECK', `${file}: ${message}`);
}

/** Newest first, each outcome by itself: the service can look for one at a time. */
async function* tasksOf(
  service: Scriptd,
  { type, group, tag }: Options,
  since: number,
): AsyncGenerator<FinishedTask> {
  for (const outcome of checkedOutcomes) {
    const filter = { outcome, type, group, tag };
    for await (const task of service.list(filter)) {
      if (Date.parse(task.createdAt) < since) break;
      // Those by which an earlier call ran its checker script.
      if (isFinished(task) && !task.tags.includes(ownTag)) yield task;
    }
  }
}

async function judged(
  task: FinishedTask,
  check: Check,
  { checker, service }: { checker: Checker; service: Scriptd },
): Promise<Line> {
  const before = task.code ?? task.outcome;
  const answer = await answerFor(task, check, checker, service);
  const after =
    answer.kind === 'passed'
      ? 'success'
      : answer.kind === 'mismatch'
        ? 'FORMAT_MISMATCH'
        : 'CHECK_FAILED';
  if (answer.kind === 'fault') throw new ScriptdError('CHECK_UNAVAILABLE', answer.message);
  const why =
    answer.kind === 'mismatch'
      ? [answer.format.at, `expected ${answer.format.expected}`, `got ${answer.format.got}`]
          .filter((part) => part !== undefined)
          .join(', ')
      : answer.kind === 'failed'
        ? answer.message
        : undefined;
  return {
    id: task.id,
    old: before,
    new: after,
    changed: before !== after,
    ...(why !== undefined && { why }),
  };
}

async function answerFor(
  task: FinishedTask,
  check: Check,
  checker: Checker,
  service: Scriptd,
): Promise<Answer> {
  if (task.truncated?.stdout) {
    const { truncated } = await import('../checker/output.js');
    return truncated;
  }
  const stdout = Buffer.from(await service.output(task.id, 'stdout'));
  if (!check.script) return checker.judge(check, stdout);
  // In the sandbox of the service, as a task of the same type.
  const { code, args } = check.script;
  const ran = await service.run({
    ...{ code, type: task.type, stdin: { base64: stdout.toString('base64') } },
    ...(args && { args }),
    tags: [ownTag],
  });
  if (ran.outcome === 'success') return { kind: 'passed' };
  if (ran.code !== 'EXIT_NONZERO' && ran.code !== 'EXCEPTION') {
    return { kind: 'failed', message: ran.reason ?? ran.outcome };
  }
  const { excerpt, shown } = await import('../checker/excerpt.js');
  const said = (ran.stdout ?? '').trim() || (ran.reason ?? '');
  const got = shown(stdout.subarray(0, 1024).toString());
  return { kind: 'mismatch', format: { expected: excerpt(said), got } };
}

function lineText({ id, old, new: next, changed, why, rerun }: Line): string {
  const verdict = changed ? `${old} → ${next}` : `${old}, as before`;
  const reason = why === undefined ? '' : ` (${why})`;
  return `${id}  ${verdict}${reason}${rerun ? '; sent again' : ''}\n`;
}
