import type { Answer } from '../checker/answer.js';
import type { Checker } from '../checker/checker.js';
import { excerpt, shown } from '../checker/excerpt.js';
import { kindOf } from '../checker/fault.js';
import { checkerLimits } from '../checker/limits.js';
import { truncated } from '../checker/output.js';
import { errorMessage } from '../errors.js';
import { invariant } from '../invariant.js';
import type { Check, FormatFault, Result } from '../task.js';
import type { ExecuteMessage, Waiting } from './queue.js';
import type { Run, RunEvents } from './slots.js';
import type { Cause } from './termination.js';
import { internalFault, judgeInterrupted, type Verdict } from './verdict.js';

export interface CheckedRunParts {
  checker: Checker;
  /** Monotonic. */
  nowMs: () => number;
  /** A run without a check: the script's, and the checker script's. */
  createRun(waiting: Waiting, events: RunEvents): Run;
}

type Judged = Verdict & { format?: FormatFault };

/**
 * A run whose output is checked before its result is told:
 *
 *     running ─ success ─▶ checking ─ passed, or not ─▶ over
 *        └─ anything else ───────────────────────────▶ over
 *
 * It holds its slot until the check is done, so a checker script has the place of the script.
 */
export class CheckedRun implements Run {
  readonly #parts: CheckedRunParts;
  readonly #task: ExecuteMessage;
  readonly #check: Check;
  readonly #events: RunEvents;
  /** What runs in the sandbox now; undefined while a checker process is asked. */
  #run: Run | undefined;
  #checking: { result: Result; sinceMs: number } | undefined;
  #isOver = false;

  constructor(parts: CheckedRunParts, waiting: Waiting, check: Check, events: RunEvents) {
    this.#parts = parts;
    this.#task = waiting.task;
    this.#check = check;
    this.#events = events;
    this.#run = parts.createRun(waiting, {
      ...events,
      onStarted: () => events.onStarted(),
      onOutput: () => events.onOutput(),
      onEnd: (result) => this.#ran(result),
    });
  }

  begin(): void {
    this.#run?.begin();
  }

  end(cause: Cause): void {
    if (this.#run) this.#run.end(cause);
    // The answer of the checker process, when it comes, is for nobody.
    else if (this.#checking) this.#judged(judgeInterrupted(cause));
  }

  /** Of the script, not of what checks it. */
  outputs(): Pick<Result, 'stdout' | 'stderr'> {
    const outputs = this.#checking?.result ?? this.#run?.outputs();
    invariant(outputs, 'what is not being checked runs');
    return outputs;
  }

  #ran(result: Result): void {
    if (result.outcome !== 'success') {
      this.#over(result);
      return;
    }
    this.#run = undefined;
    this.#checking = { result, sinceMs: this.#parts.nowMs() };
    if (result.truncated.stdout) {
      this.#answered(truncated);
    } else if (kindOf(this.#check) === 'script') {
      this.#runChecker(result);
    } else {
      this.#parts.checker.judge(this.#check, result.stdout).then(
        (answer) => this.#answered(answer),
        (error) => this.#answered({ kind: 'fault', message: errorMessage(error) }),
      );
    }
  }

  /** The checker script runs as the task did, with what is left of its wall limit, without network. */
  #runChecker(result: Result): void {
    const { script } = this.#check;
    invariant(script, 'a check of this kind has a script');
    const { taskId, attempt, limits } = this.#task;
    const leftMs = Math.ceil(limits.wallMs - result.phases.runMs);
    const task: ExecuteMessage = {
      kind: 'execute',
      taskId,
      attempt,
      code: script.code,
      ...(script.args && { args: script.args }),
      stdin: result.stdout,
      limits: { ...limits, wallMs: Math.max(checkerLimits.scriptMsMin, leftMs) },
    };
    const waiting = { task, receivedAtMs: this.#parts.nowMs() };
    this.#run = this.#parts.createRun(waiting, {
      ...this.#events,
      onStarted: () => undefined,
      onOutput: () => undefined,
      onEnd: (checked) => {
        this.#run = undefined;
        this.#judged(verdictOfScript(checked, result));
      },
    });
    this.#run.begin();
  }

  #answered(answer: Answer): void {
    this.#judged(verdictOf(answer, kindOf(this.#check)));
  }

  #judged(judged: Judged | undefined): void {
    const checking = this.#checking;
    if (!checking) return;
    this.#checking = undefined;
    const { result, sinceMs } = checking;
    const phases = { ...result.phases, checkMs: this.#parts.nowMs() - sinceMs };
    this.#over({ ...result, ...judged, phases });
  }

  #over(result: Result): void {
    invariant(!this.#isOver, 'a run ends once');
    this.#isOver = true;
    this.#run = undefined;
    this.#events.onEnd(result);
  }
}

/** What an answer makes of a success; undefined: it stays one. */
export function verdictOf(answer: Answer, kind: string): Judged | undefined {
  switch (answer.kind) {
    case 'passed':
      return undefined;
    case 'mismatch':
      return mismatch(answer.format);
    case 'failed':
      return checkFailed(`The check (check.${kind}) could not be carried out: ${answer.message}.`);
    case 'fault':
      return internalFault(`its output could not be checked: ${answer.message}`);
  }
}

function mismatch(format: FormatFault): Judged {
  const { expected, at, got } = format;
  const where = at === undefined ? '' : ` at ${brief(at)}`;
  // A schema's word: `must be array`.
  const wanted = brief(expected).replace(/^must /, 'to ');
  const reason =
    `The output is not as its check wants it: expected${where} ${wanted}; ` + `got ${brief(got)}.`;
  return { outcome: 'format_error', code: 'FORMAT_MISMATCH', reason, format };
}

function checkFailed(reason: string): Judged {
  return { outcome: 'format_error', code: 'CHECK_FAILED', reason };
}

/** Ends of a checker script by which it says that the output is wrong. */
const refusals: readonly (string | undefined)[] = ['EXIT_NONZERO', 'EXCEPTION'];

function verdictOfScript(checked: Result, { stdout }: Result): Judged | undefined {
  const { outcome, code, reason } = checked;
  if (outcome === 'success') return undefined;
  if (outcome !== 'runtime_error') {
    // Not its doing: cancelled, shut down, or a fault of ours.
    return { outcome, ...(code && { code }), ...(reason !== undefined && { reason }) };
  }
  if (!refusals.includes(code)) return checkFailed(`The checker script failed. ${reason ?? ''}`);
  const said = Buffer.from(checked.stdout).toString().trim();
  const words = said === '' ? (reason ?? '') : excerpt(said, checkerLimits.quotedCharactersMax);
  const head = Buffer.from(stdout.subarray(0, 1024)).toString();
  return {
    outcome: 'format_error',
    code: 'FORMAT_MISMATCH',
    reason: `The checker script refused the output: ${words}`,
    format: { expected: excerpt(words), got: shown(head) },
  };
}

function brief(text: string): string {
  return excerpt(text, 300);
}
