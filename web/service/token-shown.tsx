import { useEffect, useRef } from 'preact/hooks';
import { sentenceOf } from '../api/problem.js';
import { notify } from '../ui/notices.js';
import { copyText } from '../verdict/clipboard.js';

export interface TokenShownProps {
  made: { name: string; token: string };
  onClose: () => void;
}

/** A token that was just made. It is nowhere else: neither the service nor the page keeps it. */
export function TokenShown({ made: { name, token }, onClose }: TokenShownProps) {
  const card = useRef<HTMLElement>(null);
  useEffect(() => card.current?.focus(), [token]);
  const copy = async () => {
    try {
      const done = await copyText(token);
      if (done) notify('good', 'The token is copied.');
      else notify('bad', 'The browser does not let it be copied: select it by hand.');
    } catch (error) {
      notify('bad', sentenceOf(error));
    }
  };
  return (
    <section class="card padded made" ref={card} tabIndex={-1} aria-labelledby="made-token">
      <h2 id="made-token">Token {name} is made</h2>
      <p>
        It is shown only now: keep it where it is safe. The service knows no more than its digest.
      </p>
      <div class="made-token">
        <code>{token}</code>
        <button type="button" class="primary" onClick={() => void copy()}>
          Copy
        </button>
        <button type="button" onClick={onClose}>
          I have it
        </button>
      </div>
    </section>
  );
}
