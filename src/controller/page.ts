import { limits } from '../limits.js';
import type { TaskView } from '../task.js';
import type { MessageOf } from '../wire/messages.js';
import type { ClientRequests } from './client-requests.js';

/** A page that fits into a frame: of large tasks fewer than were asked for. */
export async function pageOf(
  { kind: _, requestId, ...query }: MessageOf<'list'>,
  requests: Pick<ClientRequests, 'query'>,
): Promise<MessageOf<'page'>> {
  let page = await requests.query(query);
  while (page.tasks.length > 1 && bytesAtMost(page.tasks) > pageBytesMax) {
    page = await requests.query({ ...query, limit: Math.floor(page.tasks.length / 2) });
  }
  return { kind: 'page', requestId, ...page };
}

const pageBytesMax = limits.frameBytesMax / 2;

/** Room for what has a fixed size, with the names of the fields: of a task, and of an item in it. */
const taskBytes = 2_048;
const itemBytes = 256;
/** UTF-8 has at most so many bytes for a UTF-16 unit. */
const bytesPerUnit = 3;

/** Counted, not encoded: hardly any page comes near. */
function bytesAtMost(tasks: readonly TaskView[]): number {
  let items = 0;
  let units = 0;
  for (const { tags, group = '', reason = '', attempts, filesNotCollected = [] } of tasks) {
    items += attempts.length + filesNotCollected.length + tags.length;
    units += group.length + reason.length;
    for (const tag of tags) units += tag.length;
    for (const { reason = '', worker } of attempts) units += reason.length + worker.length;
    for (const { name, reason } of filesNotCollected) units += name.length + reason.length;
  }
  return tasks.length * taskBytes + items * itemBytes + units * bytesPerUnit;
}
