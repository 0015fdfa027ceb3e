import { signal } from '@preact/signals';
import { sentenceOf } from '../api/problem.js';

interface Notice {
  id: number;
  kind: 'good' | 'bad';
  text: string;
}

const notices = signal<Notice[]>([]);
const shownMs = 6_000;
let last = 0;

/** Says something in a corner, for a while; of what went wrong until it is closed. */
export function notify(kind: Notice['kind'], text: string): void {
  last += 1;
  const id = last;
  notices.value = [...notices.value, { id, kind, text }].slice(-4);
  if (kind === 'good') setTimeout(() => close(id), shownMs);
}

/** Does it, and says what went wrong. True: nothing. */
export async function attempt(what: () => Promise<unknown>, done?: string): Promise<boolean> {
  try {
    await what();
  } catch (error) {
    notify('bad', sentenceOf(error));
    return false;
  }
  if (done !== undefined) notify('good', done);
  return true;
}

function close(id: number): void {
  notices.value = notices.value.filter((notice) => notice.id !== id);
}

export function Notices() {
  return (
    <div class="notices" role="status" aria-live="polite">
      {notices.value.map(({ id, kind, text }) => (
        <p key={id} class={kind}>
          {text}
          <button type="button" class="plain" aria-label="Close" onClick={() => close(id)}>
            ×
          </button>
        </p>
      ))}
    </div>
  );
}
