import { ask } from '../api/http.js';
import { bytes, count } from '../ui/format.js';
import { attempt, notify } from '../ui/notices.js';
import { copyText } from './clipboard.js';
import { download } from './download.js';
import type { OutputText } from './output-text.js';

export interface OutputHeadProps {
  text: OutputText;
  label: string;
  byteCount: number | undefined;
  source: string | undefined;
  isFinding: boolean;
  isWrapped: boolean;
  onFind: () => void;
  onWrap: () => void;
}

/** Above an output: how much there is of it, and what can be done with it. */
export function OutputHead(props: OutputHeadProps) {
  const { text, label, byteCount, source, isFinding, isWrapped, onFind, onWrap } = props;
  const { lineCount } = text;
  const isEmpty = lineCount === 0;
  const size = byteCount === undefined ? `${count(text.length)} characters` : bytes(byteCount);
  const button = { type: 'button', class: 'small plain' } as const;
  return (
    <div class="output-head">
      <h3>{label}</h3>
      {!isEmpty && (
        <span class="hint">
          {count(lineCount)} {lineCount === 1 ? 'line' : 'lines'} · {size}
        </span>
      )}
      <div class="output-buttons">
        <button {...button} aria-pressed={isFinding} disabled={isEmpty} onClick={onFind}>
          Find
        </button>
        <button {...button} aria-pressed={isWrapped} onClick={onWrap}>
          Wrap
        </button>
        <button {...button} disabled={isEmpty} onClick={() => void copy(text, label)}>
          Copy
        </button>
        <button {...button} disabled={isEmpty} onClick={() => void save(text, label, source)}>
          Download
        </button>
      </div>
    </div>
  );
}

async function copy(text: OutputText, label: string): Promise<void> {
  const done = await copyText(text.whole());
  if (done) notify('good', `Copied ${label}.`);
  else notify('bad', 'The browser does not let this page copy: download it instead.');
}

async function save(text: OutputText, label: string, source: string | undefined): Promise<void> {
  await attempt(async () => {
    const content = source ? await (await ask(source)).blob() : new Blob([text.whole()]);
    download(`${label}.txt`, content);
  });
}
