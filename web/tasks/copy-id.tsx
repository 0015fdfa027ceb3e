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
      <svg
        viewBox="0 0 16 16"
        width="14"
        height="14"
        fill="none"
        stroke="currentColor"
        aria-hidden="true"
      >
        <rect x="5.5" y="5.5" width="8" height="8" rx="1.5" stroke-width="1.4" />
        <path d="M10.5 3v-.5h-8v8H3" stroke-width="1.4" stroke-linejoin="round" />
      </svg>
    </button>
  );
}

/** @param done what is said then */
export async function copy(text: string, done: string): Promise<void> {
  if (await copyText(text)) notify('good', done);
  else notify('bad', 'The browser does not let this page copy.');
}
