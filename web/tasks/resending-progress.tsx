import { href } from '../route.js';
import { count } from '../ui/format.js';
import type { Resending } from './resending.js';
import { shortId } from './task-columns.js';

const idsShownMax = 10;

/** How far tasks have been sent again, and which could not be, and why. */
export function ResendingProgress({ of: resending, onClose }: { of: Resending; onClose(): void }) {
  const { total } = resending;
  const done = resending.done.value;
  const state = resending.state.value;
  return (
    <section class="card padded resending" aria-label="Sending again">
      <div class="bar">
        <progress max={total} value={done} aria-label="Sent again" />
        <span role="status">
          {state === 'going' ? (
            `Sending again: ${count(done)} of ${count(total)}`
          ) : (
            <Summary resending={resending} />
          )}
        </span>
        {state === 'going' ? (
          <button type="button" class="small" onClick={() => resending.stop()}>
            Stop
          </button>
        ) : (
          <button type="button" class="small" onClick={onClose}>
            Close
          </button>
        )}
      </div>
      {resending.failures.value.map(({ sentence, ids }) => (
        <p key={sentence} class="fault">
          {count(ids.length)} not sent: {sentence}{' '}
          {ids.slice(0, idsShownMax).map((id) => (
            <a key={id} class="mono" href={href(['tasks', id])}>
              {shortId(id)}{' '}
            </a>
          ))}
          {ids.length > idsShownMax && '…'}
        </p>
      ))}
    </section>
  );
}

function Summary({ resending }: { resending: Resending }) {
  const { sent, total } = resending;
  const failed = resending.done.value - sent;
  const left = total - resending.done.value;
  const parts = [
    `${count(sent)} sent again`,
    ...(failed > 0 ? [`${count(failed)} not`] : []),
    ...(left > 0 ? [`stopped before the other ${count(left)}`] : []),
  ];
  return <>{parts.join(', ')}.</>;
}
