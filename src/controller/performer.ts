import type { Clock } from '../clock.js';
import { invariant } from '../invariant.js';
import type { Log } from '../log.js';
import type { Admission } from '../scheduler/admission.js';
import { attemptId, type CancelTrace } from '../scheduler/attempt.js';
import type { Action } from '../scheduler/scheduler.js';
import type { Claim, Completion, Requeue, TaskStore, Touch } from '../store/port.js';
import type { AttemptKey, CancelRecord, TaskSpec, TaskView } from '../task.js';
import type { MessageOf } from '../wire/messages.js';
import type { Watches } from './clients.js';
import { type Figures, otherType } from './figures.js';
import type { Fleet } from './fleet.js';
import type { Flights } from './flights.js';
import type { Followers } from './followers.js';
import type { FreshTasks } from './fresh-tasks.js';
import type { Ledger } from './ledger.js';
import { scriptContext } from './tracing/spans.js';
import type { Tracer } from './tracing/tracer.js';

export interface PerformerOptions {
  fleet: Fleet;
  store: TaskStore;
  ledger: Ledger;
  flights: Flights;
  fresh: FreshTasks;
  admission: Admission;
  watches: Watches;
  followers: Pick<Followers, 'changed'>;
  figures: Figures;
  /** Absent: nobody gets spans. */
  tracer?: Tracer | undefined;
  clock: Clock;
  log: Log;
  /** The attempt never went out to its worker: its task could not be read. */
  onUnread(workerId: string, key: AttemptKey): void;
  /** The attempt is not to be sent: no frame takes its task. */
  onUnsendable(workerId: string, key: AttemptKey): void;
  /** The task is finished, and that is durable. */
  onFinished(view: TaskView): void;
  /** Nothing is unfinished any more. */
  onIdle(): void;
}

type OfAttempt = MessageOf<'cancel' | 'recall'>;
type Of<Type extends Action['type']> = Extract<Action, { type: Type }>;

/** What is to be stored, and of which tasks. */
interface Unstored {
  tasks: Set<string>;
  claims: Claim[];
  requeues: { requeue: Requeue; acknowledge: (() => void) | undefined }[];
  touches: Touch[];
  completions: {
    completion: Completion;
    acknowledge: (() => void) | undefined;
    cancel?: Touch;
  }[];
}

interface Batch extends Unstored {
  nowMs: number;
  wallMs: number;
}

/** An attempt whose code is being read. */
interface Reading {
  workerId: string;
  /** What its worker is to be told after it. */
  behind: OfAttempt[];
  /** Fulfilled when all of it has gone out, or could not be read. */
  sent: Promise<void>;
}

/** Carries out what the scheduler decided in one turn: one batch of each sort to the store. */
export class Performer {
  readonly #options: PerformerOptions;
  readonly #reading = new Map<string, Reading>();
  /** Attempts whose end is on its way to the store, and the worker that keeps the result until then. */
  readonly #ending = new Map<string, string>();

  constructor(options: PerformerOptions) {
    this.#options = options;
  }

  perform(actions: readonly Action[], nowMs: number): void {
    const wallMs = this.#options.clock.wallMs();
    const batch: Batch = { ...unstored(), nowMs, wallMs };
    for (const action of actions) {
      // One attempt of a task that ends and the next that begins stay in their order.
      if (isKept(action)) {
        if (batch.tasks.has(action.taskId)) this.#store(batch);
        batch.tasks.add(action.taskId);
      }
      this.#one(action, batch);
    }
    this.#store(batch);
  }

  /** Hands over what there is to store so far. */
  #store(batch: Batch): void {
    const { ledger, followers } = this.#options;
    const { claims, touches, requeues, completions } = batch;
    Object.assign(batch, unstored());
    if (claims.length > 0) {
      ledger.claim(claims, () => {
        for (const { taskId } of claims) followers.changed(taskId);
      });
    }
    if (touches.length > 0) ledger.touch(touches);
    if (requeues.length > 0) {
      const stored = requeues.map(({ requeue }) => requeue);
      ledger.requeue(stored, () => {
        for (const { requeue, acknowledge } of requeues) {
          acknowledge?.();
          followers.changed(requeue.taskId);
        }
      });
    }
    if (completions.length > 0) this.#complete(completions);
  }

  #one(action: Action, batch: Batch): void {
    const { fleet, flights } = this.#options;
    const { nowMs, wallMs } = batch;
    switch (action.type) {
      case 'dispatch':
      case 'adopt': {
        const { taskId, attempt, workerId, tried } = action;
        const type = fleet.get(workerId)?.seat.type ?? otherType;
        const worker = { name: workerId, type };
        const { record, queuedMs } = flights.begin(taskId, attempt, worker, nowMs, wallMs);
        batch.claims.push({ taskId, attempt: record, tried });
        if (action.type === 'dispatch') {
          this.#options.figures.dispatched(type, queuedMs);
          this.#dispatch(action);
        }
        break;
      }
      case 'stop': {
        const { workerId, taskId, attempt, cause } = action;
        this.#send(workerId, { kind: 'cancel', taskId, attempt, cause });
        break;
      }
      case 'recall': {
        const { workerId, taskId, attempt } = action;
        this.#send(workerId, { kind: 'recall', taskId, attempt });
        break;
      }
      case 'forget':
        this.#forget(action);
        break;
      case 'giveBack': {
        const { taskId, tried } = action;
        const attempt = flights.giveBack(taskId, nowMs, wallMs);
        invariant(attempt, 'an attempt that is handed back was there');
        batch.requeues.push({ requeue: { taskId, attempt, tried }, acknowledge: undefined });
        break;
      }
      case 'requeue':
        this.#requeue(action, batch);
        break;
      case 'finish':
        this.#finish(action, batch);
        break;
      case 'dropWorker':
        fleet.get(action.workerId)?.drop(action.reason);
        break;
    }
  }

  #requeue(action: Of<'requeue'>, { requeues, nowMs, wallMs }: Batch): void {
    const { taskId, ending, workerId, delayMs, workerDeaths } = action;
    const { flights, figures } = this.#options;
    figures.retried(flights.typeOf(taskId) ?? otherType, ending);
    const attempt = flights.end(taskId, ending, nowMs, wallMs);
    invariant(attempt, 'a task that is requeued had an attempt');
    const nextAttemptAt = wallMs + delayMs;
    // Its result, if there was one, will not be asked for again.
    const acknowledge = ending.result
      ? this.#onceStored(workerId, taskId, action.attempt)
      : undefined;
    requeues.push({ requeue: { taskId, attempt, nextAttemptAt, workerDeaths }, acknowledge });
    const { code, reason } = ending;
    const text = `attempt ${action.attempt} of task ${taskId} failed; next in ${Math.round(delayMs)} ms`;
    this.#options.log.warn({ task: taskId, code, reason }, text);
  }

  #finish(action: Of<'finish'>, { completions, nowMs, wallMs }: Batch): void {
    const { flights, log } = this.#options;
    const { taskId, ending, workerId, deadLetter, cancel } = action;
    const timeline = flights.timeline(taskId, ending, nowMs);
    const attempt = flights.end(taskId, ending, nowMs, wallMs);
    if (deadLetter) {
      const { code, reason } = ending;
      log.warn({ task: taskId, code, reason }, `task ${taskId} is a dead letter (${deadLetter})`);
    }
    const onWallClock = (ms: number) => Math.max(0, wallMs - (nowMs - ms));
    const completion: Completion = { taskId, attempt, ending, timeline, finishedAt: wallMs };
    if (deadLetter) completion.deadLetter = true;
    const acknowledge =
      workerId !== undefined && ending.result
        ? this.#onceStored(workerId, taskId, action.attempt)
        : undefined;
    const finished: Batch['completions'][number] = { completion, acknowledge };
    if (cancel) {
      finished.cancel = { taskId, changes: { cancel: recordOf(cancel, onWallClock) } };
    }
    completions.push(finished);
  }

  #complete(finished: Batch['completions']): void {
    const { ledger, flights, admission, clock, watches, followers, onIdle } = this.#options;
    const { figures, tracer, onFinished } = this.#options;
    const cancels = finished.flatMap(({ cancel }) => (cancel ? [cancel] : []));
    // Before the end: it is part of what whoever waits is told.
    if (cancels.length > 0) ledger.touch(cancels);
    const completions = finished.map(({ completion }) => completion);
    ledger.complete(completions, (views: TaskView[]) => {
      const nowMs = clock.monotonicMs();
      for (const [index, view] of views.entries()) {
        const { bytes, group } = flights.remove(view.id);
        admission.remove({ tasks: 1, bytes, group }, nowMs);
        finished[index]?.acknowledge?.();
        figures.finished(view);
        tracer?.finished(view);
        watches.finished(view);
        followers.changed(view.id);
        onFinished(view);
      }
      if (flights.size === 0) onIdle();
    });
  }

  /** Calls back once all that the worker has been given has gone out to it: at once, or soon. */
  whenSent(workerId: string, tell: () => void): void {
    const open = [...this.#reading.values()].filter((one) => one.workerId === workerId);
    if (open.length === 0) tell();
    else void Promise.all(open.map(({ sent }) => sent)).then(tell);
  }

  /** Never before the attempt itself. */
  #send(workerId: string, message: OfAttempt): void {
    const reading = this.#reading.get(attemptId(message.taskId, message.attempt));
    if (reading) reading.behind.push(message);
    else this.#options.fleet.get(workerId)?.send(message);
  }

  #dispatch(dispatch: Of<'dispatch'>): void {
    const { workerId, taskId, attempt } = dispatch;
    const { store, fleet, fresh, tracer, onUnread, log } = this.#options;
    const isTraced = tracer !== undefined;
    const submission = fresh.take(taskId);
    if (submission) {
      const { spec, view } = submission;
      this.#execute(dispatch, spec, view, isTraced);
      return;
    }
    const key = attemptId(taskId, attempt);
    const behind: OfAttempt[] = [];
    const read = Promise.all([store.readSpec(taskId), store.readView(taskId, { bulk: false })]);
    const sent = read.then(
      ([spec, view]) => {
        this.#reading.delete(key);
        if (!spec || !view) {
          log.error({ task: taskId }, `task ${taskId} is dispatched and not in the store`);
          onUnread(workerId, { taskId, attempt });
          return;
        }
        // A worker that is gone by now takes nothing; its loss is being told to the scheduler.
        this.#execute(dispatch, spec, view, isTraced);
        for (const message of behind) fleet.get(workerId)?.send(message);
      },
      (error: unknown) => {
        this.#reading.delete(key);
        log.error({ err: error, task: taskId }, `task ${taskId} could not be read`);
        onUnread(workerId, { taskId, attempt });
      },
    );
    this.#reading.set(key, { workerId, behind, sent });
  }

  /** The result that ended the attempt: acknowledged by what this returns, and by nothing before. */
  #onceStored(workerId: string, taskId: string, attempt: number): () => void {
    const key = attemptId(taskId, attempt);
    this.#ending.set(key, workerId);
    return () => {
      this.#ending.delete(key);
      this.#acknowledge(workerId, taskId, attempt);
    };
  }

  #forget({ workerId, taskId, attempt }: Of<'forget'>): void {
    // It came again before its end was stored: should we die now, its worker alone has it.
    if (this.#ending.get(attemptId(taskId, attempt)) === workerId) return;
    this.#acknowledge(workerId, taskId, attempt);
  }

  /** What was let in by another version may fit into no frame: that is the end of the attempt alone. */
  #execute(dispatch: Of<'dispatch'>, spec: TaskSpec, view: TaskView, isTraced: boolean): void {
    const { fleet, onUnsendable, log } = this.#options;
    const { workerId, taskId, attempt } = dispatch;
    try {
      fleet.get(workerId)?.send(executeOf(dispatch, spec, view, isTraced));
    } catch (error) {
      log.error({ err: error, task: taskId }, `task ${taskId} cannot be sent to a worker`);
      onUnsendable(workerId, { taskId, attempt });
    }
  }

  #acknowledge(workerId: string, taskId: string, attempt: number): void {
    this.#options.fleet.get(workerId)?.acknowledge({ taskId, attempt });
  }
}

function unstored(): Unstored {
  return { tasks: new Set(), claims: [], requeues: [], touches: [], completions: [] };
}

type Kept = Of<'dispatch' | 'adopt' | 'giveBack' | 'requeue' | 'finish'>;

/** What changes a task's record. */
function isKept(action: Action): action is Kept {
  return kept.has(action.type);
}

const kept: ReadonlySet<Action['type']> = new Set<Kept['type']>([
  'dispatch',
  'adopt',
  'giveBack',
  'requeue',
  'finish',
]);

function executeOf(
  { taskId, attempt }: Of<'dispatch'>,
  spec: TaskSpec,
  { limits, network }: TaskView,
  isTraced: boolean,
): MessageOf<'execute'> {
  const { code, args, stdin, files, collect, inspect, check } = spec;
  const message: MessageOf<'execute'> = { kind: 'execute', taskId, attempt, code, limits };
  if (network !== 'none') message.network = network;
  if (files) message.files = files;
  if (collect) message.collect = collect;
  if (inspect) message.inspect = inspect;
  if (check) message.check = check;
  if (args) message.args = args;
  if (stdin) message.stdin = stdin;
  const env = envOf(spec, taskId, attempt, isTraced);
  if (env) message.env = env;
  return message;
}

/** With what it is told of its trace, unless the task names that itself. */
function envOf(spec: TaskSpec, taskId: string, attempt: number, isTraced: boolean) {
  const { traceparent, tracestate } = scriptContext(spec, taskId, attempt, isTraced);
  if (traceparent === undefined || spec.env?.TRACEPARENT !== undefined) return spec.env;
  const state = tracestate === undefined ? {} : { TRACESTATE: tracestate };
  return { TRACEPARENT: traceparent, ...state, ...spec.env };
}

function recordOf(trace: CancelTrace, onWallClock: (ms: number) => number): CancelRecord {
  const { cause, requestedAtMs, signalledAtMs, goneAtMs } = trace;
  return {
    cause,
    requestedAt: onWallClock(requestedAtMs),
    ...(signalledAtMs !== undefined && { signalledAt: onWallClock(signalledAtMs) }),
    ...(goneAtMs !== undefined && { goneAt: onWallClock(goneAtMs) }),
  };
}
