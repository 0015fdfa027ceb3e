import { route as builtInRoute, priorityStepMs, type Route } from './evaluator.js';
import { schedulerLimits } from './limits.js';

/** What a rule may go by. */
export interface EvaluatedTask {
  /** Absent when the caller did not say. */
  type?: string;
  code: string;
  priority: number;
  group?: string;
  tags: readonly string[];
  /** Milliseconds since 1970-01-01 UTC. */
  createdAt: number;
}

/**
 * What a user's module exports: one or both of these, pure and synchronous.
 *
 * `route` names the type that executes a task, `{type}`, or says why there is none, `{refusal}`.
 * `score` is asked once, when the task is submitted (`now` is then): milliseconds of waiting that it
 * is ahead of a task that scores 0. It grows by one per millisecond of waiting from then on, so that
 * nothing starves.
 */
export interface EvaluatorModule {
  route?: (task: EvaluatedTask, known: readonly string[]) => Route;
  score?: (task: EvaluatedTask, now: number) => number;
}

/** What a module did wrong. The built-in rule was used instead. */
export interface EvaluatorFault {
  rule: 'route' | 'score';
  message: string;
}

/** Both rules, total: whatever a module does, they answer. */
export interface Evaluator {
  route(task: EvaluatedTask, known: readonly string[]): Route;
  score(task: EvaluatedTask, now: number): number;
}

/** Why the value is no module of rules, as a sentence; undefined if it is one. */
export function evaluatorMisfit(module: unknown): string | undefined {
  if (typeof module !== 'object' || module === null) return 'it exports nothing';
  const { route, score } = module as Record<string, unknown>;
  if (route === undefined && score === undefined) {
    return 'it exports neither `route(task, known)` nor `score(task, now)`';
  }
  for (const [name, rule] of Object.entries({ route, score })) {
    if (rule !== undefined && typeof rule !== 'function') return `\`${name}\` is not a function`;
  }
  return undefined;
}

/**
 * The rules of a module, with the built-in ones wherever it has none, throws, or answers something
 * that is no answer.
 *
 * @param module one without a misfit; undefined: the built-in rules
 * @param onFault is told of each time that a built-in rule had to be used instead
 */
export function evaluatorOf(
  module: EvaluatorModule | undefined,
  onFault: (fault: EvaluatorFault) => void,
): Evaluator {
  const { route, score } = module ?? {};
  return {
    route(task, known) {
      const builtIn = () => builtInRoute(task, known);
      if (!route) return builtIn();
      return guarded('route', builtIn, onFault, () => routeOf(route(task, known), known));
    },
    score(task, now) {
      const builtIn = () => task.priority * priorityStepMs;
      if (!score) return builtIn();
      return guarded('score', builtIn, onFault, () => scoreOf(score(task, now)));
    },
  };
}

function guarded<T>(
  rule: EvaluatorFault['rule'],
  builtIn: () => T,
  onFault: (fault: EvaluatorFault) => void,
  own: () => T,
): T {
  try {
    return own();
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    onFault({ rule, message: message.slice(0, 1024) });
    return builtIn();
  }
}

function routeOf(answer: unknown, known: readonly string[]): Route {
  const { type, refusal } = (answer ?? {}) as Record<string, unknown>;
  if (typeof refusal === 'string') return { refusal: refusal.slice(0, 1024) };
  if (typeof type !== 'string') throw new TypeError('it must return {type} or {refusal}');
  if (!known.includes(type)) throw new RangeError(`it names ${type}, which has no workers here`);
  return { type };
}

function scoreOf(answer: unknown): number {
  if (typeof answer !== 'number' || !Number.isFinite(answer)) {
    throw new TypeError(`it must return a finite number, not ${String(answer)}`);
  }
  if (Math.abs(answer) > schedulerLimits.scoreAbsMax) {
    throw new RangeError(`it returns ${answer}, beyond ±${schedulerLimits.scoreAbsMax}`);
  }
  return answer;
}
