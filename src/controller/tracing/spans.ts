import { createHash } from 'node:crypto';
import type { TaskSpec, TaskView } from '../../task.js';
import { tracingLimits } from './limits.js';

/** One step of a task, as a trace shows it. Ids are lower-case hex; times are Unix milliseconds. */
export interface Span {
  traceId: string;
  spanId: string;
  parentSpanId?: string;
  traceState?: string;
  name: string;
  startMs: number;
  endMs: number;
  attributes: Record<string, string | number>;
  /** Why it counts as failed: a code. Sentences may hold what a script said. */
  error?: string;
}

type Context = Pick<TaskSpec, 'traceparent' | 'tracestate'>;

interface Trace {
  traceId: string;
  parentSpanId: string | undefined;
  traceState: string | undefined;
  flags: string;
}

/**
 * What the script of an attempt is told of its trace. While spans are sent its parent is the span of
 * its run, else it is what the caller named.
 */
export function scriptContext(
  spec: Context,
  taskId: string,
  attempt: number,
  isTraced: boolean,
): Context {
  const { traceparent, tracestate } = spec;
  const { traceId, flags } = traceOf(spec, taskId);
  const handedOn = tracestate === undefined ? {} : { tracestate };
  if (isTraced && isSampled(flags)) {
    return { traceparent: `00-${traceId}-${runSpanId(taskId, attempt)}-${flags}`, ...handedOn };
  }
  return traceparent === undefined ? {} : { traceparent, ...handedOn };
}

/** The spans of a finished task: the task, and below it each attempt, the last one by its phases. */
export function spansOf(task: TaskView, spec: Context): Span[] {
  const { id, type, createdAt, finishedAt, outcome, code, timeline, attempts } = task;
  const { traceId, parentSpanId, traceState, flags } = traceOf(spec, id);
  if (!isSampled(flags) || finishedAt === undefined) return [];
  const of = { traceId, ...(traceState !== undefined && { traceState }) };
  const root: Span = {
    ...{ ...of, spanId: spanIdOf(id, `task ${task.attempt}`), name: `task ${type}` },
    ...(parentSpanId !== undefined && { parentSpanId }),
    ...{ startMs: createdAt, endMs: finishedAt },
    attributes: {
      ...{ 'scriptd.task.id': id, 'scriptd.task.type': type },
      ...{ 'scriptd.task.attempt': task.attempt, 'scriptd.task.outcome': outcome ?? '' },
      ...(code !== undefined && { 'scriptd.task.code': code }),
    },
    ...(outcome !== 'success' && { error: code ?? outcome ?? '' }),
  };
  const below = { ...of, parentSpanId: root.spanId };
  const earlier = timeline ? attempts.slice(0, -1) : attempts;
  const spans = [root];
  for (const record of earlier.slice(-tracingLimits.attemptSpansMax)) {
    const { attempt, worker, startedAt, finishedAt: endMs = finishedAt } = record;
    spans.push({
      ...{ ...below, spanId: runSpanId(id, attempt), name: `attempt ${attempt}` },
      ...{ startMs: startedAt, endMs },
      attributes: { 'scriptd.task.attempt': attempt, 'scriptd.worker': worker },
      ...(record.outcome &&
        record.outcome !== 'success' && { error: record.code ?? record.outcome }),
    });
  }
  return [...spans, ...phaseSpans(task, below)];
}

/**
 * Where the time of the last attempt went, one phase after the other. `dispatch` is the way there and
 * back together, and stands before the start.
 */
function phaseSpans(task: TaskView, below: Omit<Span, keyof Own>): Span[] {
  const { id, timeline, attempts, attempt } = task;
  const last = attempts.at(-1);
  if (!timeline || !last) return [];
  const attributes = { 'scriptd.task.attempt': attempt, 'scriptd.worker': last.worker };
  let startMs = last.startedAt - timeline.queuedMs;
  const phases = ['queued', 'dispatch', 'start', 'run', 'drain', 'check'] as const;
  return phases.flatMap((name) => {
    const endMs = startMs + timeline[`${name}Ms`];
    const spanId = name === 'run' ? runSpanId(id, attempt) : spanIdOf(id, `${name} ${attempt}`);
    const span = { ...below, spanId, name, startMs, endMs, attributes };
    startMs = endMs;
    // Without a check there was none.
    return name === 'check' && timeline.checkMs === 0 ? [] : [span];
  });
}

type Own = Pick<Span, 'spanId' | 'name' | 'startMs' | 'endMs' | 'attributes' | 'error'>;

/** The caller's trace; else one of the task's own, whose id is the task's. */
function traceOf({ traceparent, tracestate }: Context, taskId: string): Trace {
  const own = [undefined, taskId.replaceAll('-', ''), undefined, '01'];
  const [, traceId = '', parentSpanId, flags = ''] = traceparent?.split('-') ?? own;
  return { traceId, parentSpanId, traceState: tracestate, flags };
}

function isSampled(flags: string): boolean {
  return (Number.parseInt(flags, 16) & 1) === 1;
}

/** The same after a restart of the controller: what a script made its spans' parent is there. */
function runSpanId(taskId: string, attempt: number): string {
  return spanIdOf(taskId, `run ${attempt}`);
}

function spanIdOf(taskId: string, what: string): string {
  return createHash('sha256').update(`${taskId} ${what}`).digest('hex').slice(0, 16);
}
