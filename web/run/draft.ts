import { effect, signal } from '@preact/signals';
import type { Content } from '../../src/client/task.js';
import { keptForOwner } from '../api/session.js';

/** A submission as the fields of the page have it, before anything of it is read. */
export interface Draft {
  type: string;
  code: string;
  /** As a shell reads it. */
  args: string;
  stdin: string;
  wall: string;
  cpu: string;
  memory: string;
  output: string;
  processes: string;
  hasNetwork: boolean;
  inspects: boolean;
  /** Lines of NAME=value. */
  env: string;
  files: Record<string, Content>;
  priority: string;
  group: string;
  /** Separated by commas. */
  tags: string;
  /** Members of a submission that have no field, as JSON. */
  further: string;
}

export const emptyDraft: Readonly<Draft> = {
  type: 'python',
  code: '',
  args: '',
  stdin: '',
  wall: '',
  cpu: '',
  memory: '',
  output: '',
  processes: '',
  hasNetwork: false,
  inspects: false,
  env: '',
  files: {},
  priority: '',
  group: '',
  tags: '',
  further: '',
};

/** Of a browser's storage there are some 5 MiB, in UTF-16, for all that a page keeps. */
const storedCharactersMax = 1024 * 1024;
/** Typing goes on for so long before it is stored. Milliseconds. */
const storeMs = 300;
const place = 'scriptd-draft';

/** What stands in the fields. It outlives a reload of the page, and no more. */
export const draft = signal<Draft>(restored());

/** How often all of it was replaced: the editor takes its text over when this changes. */
export const fillings = signal(0);

export function edit(changes: Partial<Draft>): void {
  draft.value = { ...draft.peek(), ...changes };
}

export function fill(filled: Draft): void {
  draft.value = filled;
  fillings.value += 1;
}

keptForOwner(() => {
  fill(emptyDraft);
  sessionStorage.removeItem(place);
});

let timer: ReturnType<typeof setTimeout> | undefined;
effect(() => {
  void draft.value;
  clearTimeout(timer);
  timer = setTimeout(store, storeMs);
});
addEventListener('pagehide', store);

/** What is too large is stored without its files, or not at all. */
function store(): void {
  const { files, ...rest } = draft.peek();
  const texts = [JSON.stringify({ ...rest, files }), JSON.stringify({ ...rest, files: {} })];
  const text = texts.find(({ length }) => length <= storedCharactersMax);
  if (text === undefined) sessionStorage.removeItem(place);
  else sessionStorage.setItem(place, text);
}

function restored(): Draft {
  const text = sessionStorage.getItem(place);
  if (text === null) return emptyDraft;
  // Written by `store`, of this version of the page or of one before it.
  const stored = JSON.parse(text) as Partial<Draft>;
  return { ...emptyDraft, ...stored };
}
