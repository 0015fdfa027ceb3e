import { notify } from '../ui/notices.js';
import { copyText } from '../verdict/clipboard.js';

/** Puts the id of a task on the clipboard. */
export function CopyId({ id, tabIndex }: { id: string; tabIndex?: number }) {
  return (
    <button
      type="button"
      class="plain copy"
      aria-label={`Copy id ${id}`}
      title="Copy the id"
      {...(tabIndex !== undefined && { tabIndex })}
      onClick={() => void copy(id, 'The id is copied.')}
    >
      ⧉
    </button>
  );
}

/** @param done what is said then */
export async function copy(text: string, done: string): Promise<void> {
  if (await copyText(text)) notify('good', done);
  else notify('bad', 'The browser does not let this page copy.');
}
