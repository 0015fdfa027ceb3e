import { useState } from 'preact/hooks';
import { href } from '../route.js';
import { bytes } from '../ui/format.js';
import { copyText } from '../verdict/clipboard.js';
import { complain } from './current-run.js';
import { draft } from './draft.js';
import { linkCharactersMax, packed } from './link.js';
import { readDraft } from './submission.js';

export type Shared =
  | { kind: 'link'; address: string; isCopied: boolean; hasSecrets: boolean }
  | { kind: 'fault'; fault: string };

/** Makes a link that fills in what stands in the fields now, and copies it. */
export function ShareButton({ onShare }: { onShare: (shared: Shared | undefined) => void }) {
  const [isBusy, setBusy] = useState(false);
  const share = async () => {
    const read = readDraft(draft.peek());
    complain('faults' in read ? read.faults : {});
    if ('faults' in read) return;
    setBusy(true);
    const { spec } = read;
    const link = await packed(spec);
    setBusy(false);
    const fragment = href(['run'], { s: link });
    if (link === undefined) {
      onShare({ kind: 'fault', fault: 'This is too large for a link: share it as a file.' });
      return;
    }
    if (fragment.length > linkCharactersMax) {
      onShare({ kind: 'fault', fault: tooLarge(fragment.length) });
      return;
    }
    const address = `${location.origin}${location.pathname}${fragment}`;
    const isCopied = await copyText(address);
    const hasSecrets = spec.env !== undefined || spec.webhook !== undefined;
    onShare({ kind: 'link', address, isCopied, hasSecrets });
  };
  return (
    <button type="button" disabled={isBusy} onClick={() => void share()}>
      Share
    </button>
  );
}

function tooLarge(length: number): string {
  const most = bytes(linkCharactersMax);
  return `A link with all this would have ${bytes(length)}, and at most ${most} pass everywhere: share it as a file.`;
}

/** The link that was made. */
export function SharedLink({ shared, onClose }: { shared: Shared; onClose: () => void }) {
  if (shared.kind === 'fault') {
    return (
      <div class="told">
        <p class="fault" role="alert">
          {shared.fault}
        </p>
        <button type="button" class="small" onClick={onClose}>
          Close
        </button>
      </div>
    );
  }
  const { address, isCopied, hasSecrets } = shared;
  return (
    <div class="told">
      <div class="told-text">
        <p role="status">
          {isCopied ? 'Link copied' : 'Copy this link'} ({bytes(address.length)}). It fills in the
          script and all that goes with it, and runs nothing.
          {hasSecrets && ' The values of its variables are in it as well.'}
        </p>
        <input
          type="text"
          readOnly
          aria-label="Link to this script"
          value={address}
          onFocus={(event) => event.currentTarget.select()}
        />
      </div>
      <button type="button" class="small" onClick={onClose}>
        Close
      </button>
    </div>
  );
}
