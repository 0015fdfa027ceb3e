import { useState } from 'preact/hooks';
import { ask } from '../api/http.js';
import { overview, type Worker } from '../api/overview.js';
import { may } from '../api/session.js';
import { Confirm } from '../ui/confirm.js';
import { ago, clock, count } from '../ui/format.js';
import { attempt } from '../ui/notices.js';
import { VisibleText } from '../verdict/visible-text.js';

/** So many squares at most; beyond, the number says it alone. */
const squaresMax = 64;

export function WorkerCard({ worker }: { worker: Worker }) {
  const { id, type, slots, busy, pid, isolation, draining, heardAt, connectedAt, pool } = worker;
  return (
    <li class="card padded worker" id={`worker-${id}`} tabIndex={-1}>
      <div class="worker-head">
        <h3>
          <VisibleText text={id} />
        </h3>
        <span class="tag">{type}</span>
        {draining && <span class="badge warn">draining</span>}
        {may('admin') && !draining && <Drain worker={worker} />}
      </div>
      <div class="slots">
        <Squares slots={slots} busy={busy} />
        <span>
          {busy} of {slots === 1 ? '1 slot' : `${slots} slots`} busy
        </span>
      </div>
      <dl class="entry-facts">
        {pool && <Pool pool={pool} />}
        <div>
          <dt>Last heard</dt>
          <dd>
            <Heard at={heardAt} />
          </dd>
        </div>
        <div>
          <dt>Connected since</dt>
          <dd>
            <time dateTime={connectedAt}>{clock(connectedAt)}</time>
          </dd>
        </div>
        <div>
          <dt>Process</dt>
          <dd>{pid}</dd>
        </div>
      </dl>
      <Isolation isolation={isolation} />
    </li>
  );
}

/**
 * As of the last overview. One comes at least every ten seconds, and what was heard since then is
 * not known here: a clock that went on would make a lively worker look silent.
 */
function Heard({ at }: { at: string }) {
  const seenAt = overview.value?.at;
  return (
    <time dateTime={at} title={clock(at)}>
      {ago(at, seenAt === undefined ? Date.now() : Date.parse(seenAt))}
    </time>
  );
}

/** A start that found a process prepared is a warm one. */
function Pool({
  pool: { prepared, warmStarts, coldStarts },
}: {
  pool: NonNullable<Worker['pool']>;
}) {
  const starts = warmStarts + coldStarts;
  return (
    <div>
      <dt>Warm runtimes</dt>
      <dd>
        {count(prepared)} ready
        {starts > 0 && (
          <div class="hint">
            met {count(warmStarts)} of {starts === 1 ? '1 start' : `${count(starts)} starts`}
          </div>
        )}
      </dd>
    </div>
  );
}

function Squares({ slots, busy }: { slots: number; busy: number }) {
  if (slots > squaresMax) return null;
  return (
    <span class="squares" aria-hidden="true">
      {Array.from({ length: slots }, (_, slot) => (
        <i key={slot} class={slot < busy ? 'busy' : ''} />
      ))}
    </span>
  );
}

const levelLooks: Readonly<Record<string, string>> = { strict: 'good', basic: 'warn', none: 'bad' };

function Isolation({ isolation: { level, layers } }: Pick<Worker, 'isolation'>) {
  return (
    <details>
      <summary>
        Isolation <span class={`badge ${levelLooks[level] ?? 'idle'}`}>{level}</span>{' '}
        <span class="dim">{layers.length === 1 ? '1 layer' : `${layers.length} layers`}</span>
      </summary>
      <ul class="layers">
        {layers.map((layer) => (
          <li key={layer} class="tag">
            {layer}
          </li>
        ))}
      </ul>
    </details>
  );
}

function Drain({ worker: { id, busy } }: { worker: Worker }) {
  const [asked, setAsked] = useState(false);
  const drain = async () => {
    setAsked(false);
    const path = `/v1/workers/${encodeURIComponent(id)}/drain`;
    await attempt(() => ask(path, { method: 'POST' }), `${id} takes nothing more.`);
  };
  const runs = busy === 1 ? 'the one script that it runs' : `the ${busy} scripts that it runs`;
  return (
    <div class="buttons">
      <button type="button" class="small" onClick={() => setAsked(true)}>
        Drain <span class="only-read">{id}</span>
      </button>
      {asked && (
        <Confirm
          title={`Drain ${id}?`}
          action="Drain"
          danger
          onConfirm={() => void drain()}
          onClose={() => setAsked(false)}
        >
          <p>
            It takes nothing more, finishes {busy === 0 ? 'what it has' : runs} and ends. Where the
            service starts its workers itself, another takes its place.
          </p>
        </Confirm>
      )}
    </div>
  );
}
