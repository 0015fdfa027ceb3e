import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { errorMessage, ScriptdError } from '../errors.js';
import type { Log } from '../log.js';
import {
  type Evaluator,
  type EvaluatorFault,
  type EvaluatorModule,
  evaluatorMisfit,
  evaluatorOf,
} from '../scheduler/own-evaluator.js';

/** Between two lines of the log on the same rule, in milliseconds. */
const faultEveryMs = 60_000;

/**
 * A user's module of rules. It runs in this process with all its rights, like any setting.
 *
 * @param file path, from the working directory; what it exports by name, or its default export
 * @throws ScriptdError BAD_EVALUATOR
 */
export async function loadEvaluatorModule(file: string): Promise<EvaluatorModule> {
  const path = resolve(file);
  let module: { default?: unknown } & EvaluatorModule;
  try {
    module = (await import(pathToFileURL(path).href)) as typeof module;
  } catch (error) {
    throw bad(path, `cannot be loaded: ${errorMessage(error)}`, error);
  }
  const own = evaluatorMisfit(module) === undefined ? module : (module.default ?? module);
  const misfit = evaluatorMisfit(own);
  if (misfit !== undefined) throw bad(path, `cannot be used: ${misfit}`);
  return own as EvaluatorModule;
}

/**
 * The rules by which tasks are taken in.
 *
 * @param file empty: the built-in ones
 * @throws ScriptdError BAD_EVALUATOR
 */
export async function loadedEvaluator(file: string, log: Log): Promise<Evaluator> {
  if (file === '') return evaluatorOf(undefined, () => undefined);
  const module = await loadEvaluatorModule(file);
  log.info({ evaluator: resolve(file), rules: rulesOf(module) }, 'rules of your own are used');
  return evaluatorOf(
    module,
    faultLogger(log, () => performance.now()),
  );
}

function rulesOf({ route, score }: EvaluatorModule): string[] {
  return [...(route ? ['route'] : []), ...(score ? ['score'] : [])];
}

/** Tells of the first fault of each rule at once, and then of how many there were each minute. */
export function faultLogger(log: Log, nowMs: () => number): (fault: EvaluatorFault) => void {
  const told = new Map<string, { atMs: number; faults: number }>();
  return ({ rule, message }) => {
    const last = told.get(rule);
    if (last && nowMs() - last.atMs < faultEveryMs) {
      last.faults++;
      return;
    }
    const faults = 1 + (last?.faults ?? 0);
    told.set(rule, { atMs: nowMs(), faults: 0 });
    const text = `\`${rule}\` of the evaluator failed, so the built-in rule was used: ${message}`;
    log.error({ rule, faults }, text);
  };
}

function bad(path: string, what: string, cause?: unknown): ScriptdError {
  return new ScriptdError('BAD_EVALUATOR', `the evaluator ${path} ${what}`, { cause });
}
