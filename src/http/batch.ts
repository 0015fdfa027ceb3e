import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { errorCode } from '../errors.js';
import { limits } from '../limits.js';
import type { Log } from '../log.js';
import type { TaskSpec } from '../task.js';
import { AnswerLines } from './answer-lines.js';
import { readBatchLine } from './batch-line.js';
import { BatchWindow } from './batch-window.js';
import { bodyTooSlow, refuseOtherCharset } from './bodies.js';
import type { BodyRoom } from './body-room.js';
import type { Checks } from './checks.js';
import { onClientGone } from './client-gone.js';
import type { Asked, ControllerPort } from './controller-port.js';
import { sendContinue } from './expectation.js';
import type { Guard } from './guard.js';
import { httpLimits } from './limits.js';
import { type Line, LineSplitter } from './line-splitter.js';
import { submitBatch } from './openapi/stream-operations.js';
import { asProblem, internalProblem, type Problem, type ProblemCode, problem } from './problem.js';
import { Shares } from './shares.js';
import { taskJson } from './task-json.js';
import { readWait, taskLost } from './tasks.js';
import { readTraceContext } from './trace-context.js';
import type { UnsentAnswers } from './unsent.js';

export interface BatchPorts {
  guard: Guard;
  controller: ControllerPort;
  checks: Checks;
  room: BodyRoom;
  unsent: UnsentAnswers;
  log: Log;
}

/** POST /v1/tasks/batch: tasks as lines of JSON, answered line by line while they come. */
export function batchRoutes(app: FastifyInstance, ports: BatchPorts): void {
  let open = 0;
  const shares = new Shares({
    max: httpLimits.batchesPerTokenMax,
    what: 'batches under way',
    code: 'OVERLOADED',
  });
  app.register(async (scope) => {
    scope.removeAllContentTypeParsers();
    // Read by the batch itself.
    scope.addContentTypeParser('*', (_request, _payload, done) => done(null));
    const config = { operation: submitBatch };
    scope.post('/v1/tasks/batch', { onRequest: requireLines, config }, async (request, reply) => {
      const waitMs = readWait(request, reply) * 1000;
      if (open >= httpLimits.batchesMax) {
        const detail = `${open} batches are under way, as many as there may be: try again later`;
        throw problem('OVERLOADED', detail);
      }
      const giveBack = shares.take(request.caller);
      open++;
      try {
        await new Batch(request, reply, waitMs, ports).run();
      } finally {
        open--;
        giveBack();
      }
    });
  });
}

/** @throws Problem UNSUPPORTED_CONTENT_TYPE. */
async function requireLines(request: FastifyRequest): Promise<void> {
  const type = request.headers['content-type'] ?? '';
  if (!/^\s*application\/(x-)?ndjson\s*(;|$)/i.test(type)) {
    const detail = 'the body must be lines of JSON: send Content-Type: application/x-ndjson';
    throw problem('UNSUPPORTED_CONTENT_TYPE', detail);
  }
  refuseOtherCharset(request);
  // What else stands there does not matter, not even to a parser.
  request.headers['content-type'] = 'application/x-ndjson';
}

/** Codes of refusals that every further line would meet as well. */
const endOfBatch: readonly string[] = [
  'DRAINING',
  'INSUFFICIENT_SCOPE',
  'UNAUTHORIZED',
] satisfies ProblemCode[];

/** What a line is answered with. */
interface LineAnswer {
  line: number;
  status: number;
  task?: { id: string };
  error?: object;
}

/**
 * One batch. Lines are submitted as they come, each without waiting for those before; what one read
 * brings thus goes to the controller together and shares its commit. Answers go out in the order of
 * the lines. Who does not read them is not read from either: the window is full then.
 *
 *     read ─▶ window ─▶ submitted ─▶ answered in order ─┬▶ out of the window
 *                                                       └▶ held (wait) ─▶ answered again ─▶ out
 */
class Batch {
  readonly #request: FastifyRequest;
  readonly #reply: FastifyReply;
  readonly #ports: BatchPorts;
  readonly #waitMs: number;
  /** Of all its tasks. */
  readonly #trace: ReturnType<typeof readTraceContext>;
  readonly #answers: AnswerLines;
  readonly #splitter = new LineSplitter(limits.bodyBytesMax);
  readonly #window = new BatchWindow(httpLimits.batchLinesMax, httpLimits.batchBytesMax);
  /** Tasks whose end is waited for. */
  readonly #held = new Set<Asked<unknown>>();
  /** The last answer that is to go out in order. */
  #tail: Promise<void> = Promise.resolve();
  /** The last check that is tried. */
  #tried: Promise<void> = Promise.resolve();
  /** Why no further line is read, if so. */
  #stopped: Problem | undefined;
  #stopWaiting: (why: Problem) => void = () => undefined;
  #isTimeUp = false;
  #isGone = false;

  constructor(request: FastifyRequest, reply: FastifyReply, waitMs: number, ports: BatchPorts) {
    this.#request = request;
    this.#reply = reply;
    this.#waitMs = waitMs;
    this.#trace = readTraceContext(request.raw);
    this.#ports = ports;
    this.#answers = new AnswerLines(request.raw, reply.raw, ports.unsent);
  }

  /** Fulfilled when the last answer is handed over, or nobody is left to read it. */
  async run(): Promise<void> {
    const { raw: response } = this.#reply;
    this.#reply.hijack();
    const timer = setTimeout(() => this.#timeUp(), this.#waitMs);
    const release = onClientGone(this.#reply, () => this.#clientGone());
    sendContinue(this.#request.raw);
    const headers = { ...this.#reply.getHeaders(), 'content-type': 'application/x-ndjson' };
    response.writeHead(200, headers as Record<string, string>);
    response.flushHeaders();
    await this.#readAll();
    await this.#tail;
    if (this.#stopped) await this.#show(this.#splitter.number, this.#stopped);
    await this.#window.empty();
    clearTimeout(timer);
    response.end(() => {
      release();
      this.#leaveConnection();
    });
  }

  /** Reads and submits until the body ends, or something ends the batch before. */
  async #readAll(): Promise<void> {
    const reception = this.#ports.room.open((why) => this.#stop(why));
    const pieces = this.#request.raw.iterator({ destroyOnReturn: false });
    try {
      let dueAtMs = performance.now() + httpLimits.bodyReceiveMs;
      for (let isLast = false; !isLast && !this.#stopped; ) {
        const { done = false, value } = await this.#arrival(pieces.next(), dueAtMs);
        isLast = done;
        for (const line of done ? this.#splitter.end() : this.#splitter.feed(value)) {
          await this.#take(line);
          if (this.#stopped || this.#isGone) return;
          reception.restart();
          dueAtMs = performance.now() + httpLimits.bodyReceiveMs;
        }
        reception.hold(this.#splitter.heldBytes + this.#window.bytes);
      }
    } catch (error) {
      if (!this.#isGone) this.#stop(this.#problemOf(error));
    } finally {
      reception.close();
    }
  }

  /** What `next` brings. Rejected when that takes too long, or when the batch is stopped. */
  #arrival<T>(next: Promise<T>, dueAtMs: number): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const leftMs = Math.max(0, dueAtMs - performance.now());
      const timer = setTimeout(() => reject(bodyTooSlow()), leftMs);
      this.#stopWaiting = (why) => {
        clearTimeout(timer);
        reject(why);
      };
      next.finally(() => clearTimeout(timer)).then(resolve, reject);
    });
  }

  /** Waits until the caller's rate has room for one more line, or the batch is stopped. */
  async #pace(): Promise<void> {
    const { caller } = this.#request;
    while (caller && !this.#stopped && !this.#isGone) {
      const waitMs = this.#ports.guard.paceLine(caller);
      if (waitMs === 0) return;
      await new Promise<void>((resolve) => {
        // Not for longer than the file of tokens is looked at: the rate may be another then.
        const timer = setTimeout(resolve, Math.min(waitMs, httpLimits.tokenFileMs));
        this.#stopWaiting = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }

  async #take(line: Line): Promise<void> {
    const bytes = line.bytes?.length ?? 0;
    await this.#pace();
    if (this.#isGone) return;
    await this.#window.enter(bytes);
    const answer = this.#submit(line);
    this.#tail = this.#tail.then(async () => {
      const shown = await answer;
      this.#window.release(bytes);
      await this.#answers.write(shown);
      // Not waited for: the next line's first answer may come before this one's second.
      if (shown.task && this.#waitMs > 0) this.#hold(shown.line, shown.task.id);
      else this.#window.leave();
    });
  }

  /** Never rejected. */
  async #submit({ number: line, bytes }: Line): Promise<LineAnswer> {
    try {
      if (!bytes) throw lineTooLong();
      const spec = readBatchLine(bytes, Date.now());
      if (spec.check) await this.#refuseUnfit(spec);
      const { task, replayed } = await this.#ports.controller.store({ ...spec, ...this.#trace });
      const shown = { task: { ...taskJson(task), id: task.id }, ...(replayed && { replayed }) };
      return { line, status: replayed ? 200 : 201, ...shown };
    } catch (error) {
      const why = this.#problemOf(error);
      if (endOfBatch.includes(why.code)) this.#stop(why);
      return refusal(line, why);
    }
  }

  /** One after the other: hundreds of lines have one turn among those of others. */
  #refuseUnfit(spec: TaskSpec): Promise<void> {
    const { checks } = this.#ports;
    const tried = this.#tried.then(() => checks.refuseUnfit(spec, this.#request, this.#reply));
    this.#tried = tried.catch(() => undefined);
    return tried;
  }

  /** Never rejected: nobody waits for it. */
  async #hold(line: number, taskId: string): Promise<void> {
    try {
      const answer = await this.#ending(line, taskId);
      if (answer) await this.#answers.write(answer);
    } catch (error) {
      this.#ports.log.error({ err: error }, 'the end of a line was not told by a fault of ours');
    } finally {
      this.#window.leave();
    }
  }

  /** A line's second answer. Never rejected; undefined when nobody is left to read it. */
  async #ending(line: number, taskId: string): Promise<LineAnswer | undefined> {
    const { controller } = this.#ports;
    let watch: ReturnType<ControllerPort['watch']> | undefined;
    try {
      // It throws for whoever has lost the right to it since the task was stored.
      watch = controller.watch(taskId);
      this.#held.add(watch);
      if (this.#isTimeUp || this.#isGone) watch.forget();
      const task = await watch.answer.catch((error: unknown) => {
        if (errorCode(error) !== 'FORGOTTEN') throw error;
        return this.#isGone ? undefined : controller.get(taskId);
      });
      if (!task) return undefined;
      const status = task.state === 'finished' ? 200 : 202;
      return { line, status, task: { ...taskJson(task), id: task.id } };
    } catch (error) {
      const isLost = errorCode(error) === 'UNKNOWN_TASK';
      return refusal(line, isLost ? taskLost(taskId) : this.#problemOf(error));
    } finally {
      if (watch) this.#held.delete(watch);
    }
  }

  #show(line: number, why: Problem): Promise<void> {
    return this.#answers.write(refusal(line, why));
  }

  #stop(why: Problem): void {
    this.#stopped ??= why;
    this.#stopWaiting(why);
  }

  #timeUp(): void {
    this.#isTimeUp = true;
    for (const watch of this.#held) watch.forget();
  }

  /** What was submitted goes on: it was to stay. */
  #clientGone(): void {
    this.#isGone = true;
    this.#stopWaiting(problem('BAD_REQUEST', 'the client went away'));
    for (const watch of this.#held) watch.forget();
  }

  /** A body that was not read to its end leaves nothing else to do with its connection. */
  #leaveConnection(): void {
    const { complete, socket } = this.#request.raw;
    if (complete) return;
    const timer = setTimeout(() => socket.destroy(), httpLimits.lingerMs);
    socket.once('close', () => clearTimeout(timer));
  }

  #problemOf(error: unknown): Problem {
    const known = asProblem(error);
    if (!known) this.#ports.log.error({ err: error }, 'a line failed by a fault of ours');
    return known ?? internalProblem();
  }
}

function refusal(line: number, why: Problem): LineAnswer {
  // Here no header can say it.
  const seconds = why.headers['retry-after'];
  const again = seconds === undefined ? {} : { retryAfterSeconds: Number(seconds) };
  return { line, status: why.status, error: { ...why.body(), ...again } };
}

function lineTooLong(): Problem {
  const detail = `the line is longer than ${limits.bodyBytesMax} bytes; nothing of it was used`;
  return problem('BODY_TOO_LARGE', detail);
}
