import { setImmediate } from 'node:timers/promises';
import type { Clock } from '../clock.js';
import { errorCode, errorMessage, ScriptdError } from '../errors.js';
import type { Log } from '../log.js';
import type { OwedDelivery, TaskStore } from '../store/port.js';
import type { TaskView } from '../task.js';
import { type Delivery, secretBytes, webhookId } from '../webhook.js';
import type { Courier, Errand } from '../webhooks/courier.js';
import { attempted, dueAgain, isDue } from '../webhooks/delivery.js';
import { webhookLimits } from '../webhooks/limits.js';
import { noticeOf } from '../webhooks/notice.js';
import { OwedDeliveries } from './owed-deliveries.js';
import { unknownTask } from './refusal.js';

/** How far telling a task's webhook has come. */
export interface DeliveryReport {
  taskId: string;
  /** Whom, e.g. https://example.com */
  origin: string;
  /** Absent as long as the task is not finished. */
  delivery?: Delivery;
}

export interface WebhooksOptions {
  store: TaskStore;
  /** Absent: nobody is told. */
  courier?: Pick<Courier, 'send' | 'close'>;
  /** Sign for tasks without a secret of their own. */
  keys?: readonly Uint8Array[];
  clock: Clock;
  log: Log;
}

/**
 * Tells receivers that their tasks are finished. What is owed stands in the store; a controller that
 * dies during an attempt makes it again, so a receiver may be told twice, under the same webhook-id.
 */
export class Webhooks {
  readonly #options: WebhooksOptions;
  readonly #owed = new OwedDeliveries(webhookLimits);
  /** Of tasks, for what is to be sent. */
  #reading: Promise<unknown> = Promise.resolve();
  #scanning = false;
  /** Milliseconds since 1970-01-01 UTC: what was due before has been brought. */
  #scannedUntil = 0;
  #rescanAtMs = 0;
  #closed = false;

  constructor(options: WebhooksOptions) {
    this.#options = options;
  }

  /** A task is finished, and that is durable. */
  finished({ id, webhook, finishedAt }: TaskView): void {
    if (webhook && this.#options.courier)
      this.#take({ taskId: id, origin: webhook.origin, dueAt: finishedAt ?? 0 });
  }

  /** Once a second: brings what has become due. */
  beat(): void {
    if (!this.#options.courier || this.#scanning || this.#closed) return;
    const nowMs = this.#options.clock.monotonicMs();
    // Everything now and then: the wall clock may have jumped, the store refused, a queue been full.
    const from = nowMs >= this.#rescanAtMs ? 0 : this.#scannedUntil;
    if (from === 0) this.#rescanAtMs = nowMs + webhookLimits.rescanMs;
    this.#scanning = true;
    this.#scan(from)
      .catch((error: unknown) => this.#log(error, 'what is owed to webhooks cannot be read'))
      .finally(() => {
        this.#scanning = false;
      });
  }

  /** Rejected with UNKNOWN_TASK and NO_WEBHOOK. */
  async report(taskId: string): Promise<DeliveryReport> {
    const { origin } = await this.#taskOf(taskId);
    const delivery = await this.#options.store.readDelivery(taskId);
    return { taskId, origin, ...(delivery && { delivery }) };
  }

  /** As `report`, and with NOT_FINISHED. An attempt that is under way is not followed by another. */
  async redeliver(taskId: string): Promise<DeliveryReport> {
    const { store, clock } = this.#options;
    const { origin } = await this.#taskOf(taskId);
    const delivery = await store.readDelivery(taskId);
    if (!delivery) throw notFinished(taskId);
    if (this.#owed.has(taskId)) return { taskId, origin, delivery };
    const now = clock.wallMs();
    const again = dueAgain(delivery, now);
    if (!(await store.noteDelivery(taskId, again))) throw notFinished(taskId);
    this.#take({ taskId, origin, dueAt: now });
    return { taskId, origin, delivery: again };
  }

  /** What is under way is made again by the next controller. */
  close(): void {
    this.#closed = true;
    this.#options.courier?.close();
  }

  async #taskOf(taskId: string): Promise<{ origin: string }> {
    const view = await this.#options.store.readView(taskId, { bulk: false });
    if (!view) throw unknownTask(taskId);
    if (view.webhook) return view.webhook;
    throw new ScriptdError('NO_WEBHOOK', `task ${taskId} has no webhook`);
  }

  async #scan(from: number): Promise<void> {
    const { store, clock } = this.#options;
    const to = clock.wallMs() + 1;
    const ranges = [{ from, to }];
    if (from === 0)
      ranges.push({ from: to + webhookLimits.aheadMsMax, to: Number.MAX_SAFE_INTEGER });
    for (const range of ranges) {
      for await (const chunk of store.owedDeliveries(range)) {
        if (this.#closed) return;
        // All of it, also when there is no room: what comes last may be for somebody who answers.
        for (const owed of chunk) this.#owed.add(owed);
        this.#pump();
        // The scheduler's turns come in between.
        await setImmediate();
      }
    }
    this.#scannedUntil = to - overlapMs;
  }

  #take(owed: OwedDelivery): void {
    this.#owed.add(owed);
    this.#pump();
  }

  #pump(): void {
    while (!this.#closed) {
      const owed = this.#owed.begin();
      if (!owed) return;
      void this.#deliver(owed).finally(() => {
        if (this.#owed.end(owed)) this.#rescanAtMs = 0;
        this.#pump();
      });
    }
  }

  async #deliver({ taskId, origin }: OwedDelivery): Promise<void> {
    const { store, clock, courier } = this.#options;
    try {
      // One after the other: a task has megabytes, and hardly any of them are sent.
      const reading = this.#reading.then(() => this.#read(taskId));
      this.#reading = reading.catch(() => undefined);
      const read = await reading;
      if (!read) return;
      const { delivery, errand } = read;
      const answer = await courier?.send(errand);
      if (!answer || this.#closed) return;
      const next = attempted(delivery, answer, clock.wallMs(), Math.random);
      await store.noteDelivery(taskId, next);
      this.#tell(taskId, origin, next);
    } catch (error) {
      // It is still owed, and brought again.
      this.#log(error, `the delivery of task ${taskId} is not noted`);
    }
  }

  /** Undefined: it was told, given up, put off, sent again as a task, or it is gone. */
  async #read(taskId: string): Promise<{ delivery: Delivery; errand: Errand } | undefined> {
    const { store, clock, keys = [] } = this.#options;
    const delivery = await store.readDelivery(taskId);
    if (this.#closed || !delivery || !isDue(delivery, clock.wallMs())) return undefined;
    const [spec, view] = await Promise.all([store.readSpec(taskId), store.readView(taskId)]);
    if (!spec?.webhook || view?.finishedAt !== delivery.finishedAt) return undefined;
    const { url, secret } = spec.webhook;
    const own = secret === undefined ? undefined : secretBytes(secret);
    const errand = {
      ...{ url, keys: own ? [own] : keys, tries: delivery.tries, notice: noticeOf(view) },
      id: webhookId(taskId, delivery.finishedAt),
    };
    return { delivery, errand };
  }

  #tell(task: string, origin: string, { state, tries, attempts, reason }: Delivery): void {
    const { log } = this.#options;
    const { status, error } = attempts.at(-1) ?? {};
    const detail = { task, origin, tries, status };
    if (state === 'delivered') log.debug(detail, `${origin} was told of task ${task}`);
    else if (state === 'due') log.info(detail, `${origin} was not told of task ${task}: ${error}`);
    else log.warn(detail, `${origin} will not be told of task ${task}: ${reason}; ${error}`);
  }

  #log(error: unknown, what: string): void {
    if (this.#closed) return;
    const text = `${what}: ${errorMessage(error)}`;
    this.#options.log.error({ err: error, code: errorCode(error) }, text);
  }
}

/** What becomes durable a little later than what is due after it is looked for so far back. */
const overlapMs = 5_000;

function notFinished(taskId: string): ScriptdError {
  const message = `task ${taskId} is not finished: its webhook is told when it is`;
  return new ScriptdError('NOT_FINISHED', message);
}
