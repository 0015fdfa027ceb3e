import type { TaskView } from '../../task.js';
import { type Delivery, newDelivery } from '../../webhook.js';
import type { OwedDelivery } from '../port.js';
import type { Changes } from './changes.js';
import { endingKey, isTaskId, timeOf } from './keys.js';
import { decode, encode } from './records.js';

/**
 * What is owed to webhooks: each finished task that has one has a delivery, and as long as that is
 * due, it stands in `owed` by the time of its next attempt.
 */

/** A task that has a webhook is finished. */
export function owe(changes: Changes, view: TaskView, sequence: number): void {
  if (view.webhook) putDelivery(changes, view, sequence, newDelivery(view.finishedAt ?? 0));
}

/** Of a finished task with a webhook, in place of what it has. */
export function putDelivery(
  changes: Changes,
  { id, webhook }: TaskView,
  sequence: number,
  delivery: Delivery,
): void {
  removeOwed(changes, id, sequence);
  changes.put('deliveries', id, encode(delivery));
  const { nextAttemptAt } = delivery;
  if (nextAttemptAt === undefined) return;
  changes.put('owed', endingKey(nextAttemptAt, sequence), encode([id, webhook?.origin ?? '']));
}

/** As the port has it. */
export function noteDelivery(changes: Changes, taskId: string, delivery: Delivery): boolean {
  const head = isTaskId(taskId) ? changes.get('tasks', taskId) : undefined;
  if (head?.view.state !== 'finished' || !head.view.webhook) return false;
  if (head.view.finishedAt !== delivery.finishedAt) return false;
  putDelivery(changes, head.view, head.sequence, delivery);
  return true;
}

/** @returns whether somebody was still to be told */
export function removeDelivery(changes: Changes, taskId: string, sequence: number): boolean {
  const owed = removeOwed(changes, taskId, sequence);
  if (owed !== undefined) changes.remove('deliveries', taskId);
  return owed === true;
}

/** Undefined: there is no delivery; false: it is not due. */
function removeOwed(changes: Changes, taskId: string, sequence: number): boolean | undefined {
  const bytes = changes.get('deliveries', taskId);
  if (!bytes) return undefined;
  const { nextAttemptAt } = decode<Delivery>(bytes);
  if (nextAttemptAt === undefined) return false;
  changes.remove('owed', endingKey(nextAttemptAt, sequence));
  return true;
}

export function owedOf(key: Buffer, value: Buffer): OwedDelivery {
  const [taskId, origin] = decode<[string, string]>(value);
  return { taskId, origin, dueAt: timeOf(key) };
}
