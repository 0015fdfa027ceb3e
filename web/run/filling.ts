import { signal } from '@preact/signals';
import { askJson } from '../api/http.js';
import { sentenceOf } from '../api/problem.js';
import { keptForOwner } from '../api/session.js';
import { go } from '../route.js';
import { type Draft, draft, emptyDraft, fill } from './draft.js';
import { draftOf } from './filled-draft.js';
import { unpacked } from './link.js';
import { isObject } from './submission.js';

/** What the fields were filled in with, to be told; or why they were not. */
export type Filling =
  | { kind: 'link'; before: Draft }
  | { kind: 'task'; id: string; before: Draft; files: string[] }
  | { kind: 'fault'; fault: string };

export const filling = signal<Filling | undefined>(undefined);

keptForOwner(() => {
  filling.value = undefined;
});

/**
 * Fills in what the address asks for, a link's submission or a task's, and takes it out of the
 * address: a reload keeps what was changed since. Nothing is run.
 */
export async function fillFromAddress(query: URLSearchParams): Promise<void> {
  const [link, id] = [query.get('s'), query.get('from')];
  if (link === null && id === null) return;
  go(['run'], undefined, 'replace');
  const before = draft.peek();
  try {
    if (link !== null) {
      fill(draftOf(await unpacked(link)));
      filling.value = { kind: 'link', before };
    } else if (id !== null) {
      const { files, ...spec } = await askJson<Record<string, unknown>>(
        `/v1/tasks/${encodeURIComponent(id)}/spec`,
      );
      fill(draftOf(spec));
      // The service tells their names alone.
      filling.value = {
        kind: 'task',
        id,
        before,
        files: isObject(files) ? Object.keys(files) : [],
      };
    }
  } catch (error) {
    const isTooDeep = error instanceof RangeError;
    const fault = isTooDeep ? 'What is in this link is nested too deep.' : sentenceOf(error);
    filling.value = { kind: 'fault', fault };
  }
}

/** The fields as they were before. */
export function fillBack(): void {
  const told = filling.peek();
  if (told && told.kind !== 'fault') fill(told.before);
  filling.value = undefined;
}

export function startAfresh(): void {
  fill({ ...emptyDraft, type: draft.peek().type });
  filling.value = undefined;
}
