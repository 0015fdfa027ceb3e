import { createHash } from 'node:crypto';
import { ScriptdError } from '../errors.js';
import type { ScheduleSpec } from '../schedule.js';
import type { TaskSpec, TaskView } from '../task.js';
import type { TaskCursor } from '../task-cursor.js';
import { currentCaller } from './callers.js';
import type { Asked, ControllerPort, Overview, Progress, TaskQuery } from './controller-port.js';
import { problem } from './problem.js';

/**
 * The controller as it is for whoever asks: a token that is bound to a group submits into that group
 * only, and for it there are no tasks but that group's. Routes know nothing of it, so none can
 * forget it.
 */
export class ConfinedController implements ControllerPort {
  readonly #inner: ControllerPort;
  /** One for all streams of groups that are told of the same. */
  readonly #ofGroups = new WeakMap<Overview, Overview>();

  constructor(inner: ControllerPort) {
    this.#inner = inner;
  }

  get connected(): boolean {
    return this.#inner.connected;
  }

  get waiting() {
    return this.#inner.waiting;
  }

  get traffic() {
    return this.#inner.traffic;
  }

  async measure() {
    requireWhole();
    return this.#inner.measure();
  }

  async store(task: TaskSpec) {
    return this.#inner.store(ofGroup(task));
  }

  run(task: TaskSpec): Asked<TaskView> {
    return this.#inner.run(ofGroup(task));
  }

  async get(taskId: string): Promise<TaskView> {
    const { group } = currentCaller();
    const task = await this.#inner.get(taskId);
    if (group === undefined || task.group === group) return task;
    // In the words for one that is not there.
    throw new ScriptdError('UNKNOWN_TASK', `there is no task ${taskId} (any more)`);
  }

  watch(taskId: string): Asked<TaskView> {
    return this.#askOfOwn(taskId, () => this.#inner.watch(taskId));
  }

  follow(taskId: string, cursor: TaskCursor): Asked<Progress> {
    return this.#askOfOwn(taskId, () => this.#inner.follow(taskId, cursor));
  }

  async cancelTask(taskId: string): Promise<TaskView> {
    await this.#requireOwn(taskId);
    return this.#inner.cancelTask(taskId);
  }

  status() {
    return this.#inner.status();
  }

  async list(query: TaskQuery) {
    const { group } = currentCaller();
    if (group === undefined) return this.#inner.list(query);
    if (query.group !== undefined && query.group !== group) return { tasks: [] };
    return this.#inner.list({ ...query, group });
  }

  async spec(taskId: string) {
    await this.#requireOwn(taskId);
    return this.#inner.spec(taskId);
  }

  async explain(taskId: string) {
    await this.#requireOwn(taskId);
    return this.#inner.explain(taskId);
  }

  async retryTask(taskId: string): Promise<TaskView> {
    await this.#requireOwn(taskId);
    return this.#inner.retryTask(taskId);
  }

  async delivery(taskId: string) {
    await this.#requireOwn(taskId);
    return this.#inner.delivery(taskId);
  }

  async redeliver(taskId: string) {
    await this.#requireOwn(taskId);
    return this.#inner.redeliver(taskId);
  }

  queues() {
    return this.#inner.queues();
  }

  async setQueuePaused(type: string, paused: boolean) {
    requireWhole();
    return this.#inner.setQueuePaused(type, paused);
  }

  async schedules() {
    requireWhole();
    return this.#inner.schedules();
  }

  async schedule(id: string) {
    requireWhole();
    return this.#inner.schedule(id);
  }

  async putSchedule(how: 'create' | 'put', schedule: ScheduleSpec) {
    requireWhole();
    return this.#inner.putSchedule(how, schedule);
  }

  async setScheduleEnabled(id: string, enabled: boolean) {
    requireWhole();
    return this.#inner.setScheduleEnabled(id, enabled);
  }

  async deleteSchedule(id: string): Promise<void> {
    requireWhole();
    return this.#inner.deleteSchedule(id);
  }

  async overview() {
    return this.#forCaller(await this.#inner.overview());
  }

  async recentOverview() {
    return this.#forCaller(await this.#inner.recentOverview());
  }

  async history() {
    const history = await this.#inner.history();
    // Who may not ask any more is not told; the numbers are everybody's.
    currentCaller();
    return history;
  }

  async drainWorker(workerId: string) {
    requireWhole();
    return this.#inner.drainWorker(workerId);
  }

  /** Queues and workers as everybody sees them; how many tasks of others were given up is not told. */
  #forCaller(overview: Overview): Overview {
    if (currentCaller().group === undefined) return overview;
    const { deadLetters: _, deadLettersMore: __, ...rest } = overview;
    const told = this.#ofGroups.get(overview) ?? rest;
    this.#ofGroups.set(overview, told);
    return told;
  }

  /** Asks about a task, and answers only if the caller may know of it. */
  #askOfOwn<T>(taskId: string, ask: () => Asked<T>): Asked<T> {
    const { group } = currentCaller();
    const asked = ask();
    const allowed = this.#requireOwn(taskId).catch((refusal: unknown) => {
      asked.forget();
      throw refusal;
    });
    const answer = Promise.all([asked.answer, allowed]).then(async ([own]) => {
      // It may have taken long, and whoever asked have lost the right to it.
      if (currentCaller().group !== group) await this.#requireOwn(taskId);
      return own;
    });
    return { answer, forget: asked.forget };
  }

  /** What a task's group is, never changes: so it still is when the next question arrives. */
  async #requireOwn(taskId: string): Promise<void> {
    if (currentCaller().group !== undefined) await this.get(taskId);
  }
}

/**
 * The task as one of the caller's group. Its idempotency key is the group's own: another's key
 * would be answered with another's task.
 */
function ofGroup(task: TaskSpec): TaskSpec {
  const { group } = currentCaller();
  if (group === undefined) return task;
  if (task.group !== undefined && task.group !== group) {
    const detail = `the token submits into the group ${JSON.stringify(group)} only: leave \`group\` out`;
    throw problem('GROUP_NOT_ALLOWED', detail, { field: 'group' });
  }
  const { idempotencyKey: key } = task;
  return { ...task, group, ...(key !== undefined && { idempotencyKey: keyOf(group, key) }) };
}

function keyOf(group: string, key: string): string {
  return createHash('sha256')
    .update(JSON.stringify([group, key]))
    .digest('base64url');
}

/** @throws Problem GROUP_NOT_ALLOWED, for what is of all groups. */
function requireWhole(): void {
  if (currentCaller().group === undefined) return;
  throw problem('GROUP_NOT_ALLOWED', 'this is of all groups, and the token is bound to one');
}
