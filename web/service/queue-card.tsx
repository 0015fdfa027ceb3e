import { useState } from 'preact/hooks';
import { ask } from '../api/http.js';
import type { Queue } from '../api/overview.js';
import { may } from '../api/session.js';
import { href } from '../route.js';
import { Confirm } from '../ui/confirm.js';
import { count, milliseconds } from '../ui/format.js';
import { attempt } from '../ui/notices.js';
import { Charts } from './charts.js';

/** The tasks of one type: how many there are, how long they wait, and how that went. */
export function QueueCard({ queue }: { queue: Queue }) {
  const { type, paused, ready, waiting, running, slots, workers, oldestMs } = queue;
  return (
    <article class="card padded queue" id={`queue-${type}`} aria-labelledby={`queue-${type}-name`}>
      <div class="queue-head">
        <h2 id={`queue-${type}-name`}>{type}</h2>
        {paused && <span class="badge warn">paused</span>}
        <dl class="queue-figures">
          <Figure name="ready" value={count(ready)} to={tasksOf(type, 'pending')} />
          <Figure name="waiting for their time" value={count(waiting)} />
          <Figure
            name={`running of ${slots === 1 ? '1 slot' : `${count(slots)} slots`}`}
            value={count(running)}
            to={tasksOf(type, 'running')}
          />
          <Figure name={workers === 1 ? 'worker' : 'workers'} value={count(workers)} />
          <Figure
            name="oldest waiting"
            value={oldestMs === undefined ? 'none' : milliseconds(oldestMs)}
          />
        </dl>
        {may('admin') && <Steering queue={queue} />}
      </div>
      <Charts type={type} />
    </article>
  );
}

function tasksOf(type: string, state: string): string {
  return href(['tasks'], { state, type });
}

function Figure({ name, value, to }: { name: string; value: string; to?: string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{to === undefined || value === '0' ? value : <a href={to}>{value}</a>}</dd>
    </div>
  );
}

/** Stops handing out tasks of the type, after asking; goes on without. */
function Steering({ queue: { type, paused } }: { queue: Queue }) {
  const [asked, setAsked] = useState(false);
  const [busy, setBusy] = useState(false);
  const set = async (order: 'pause' | 'resume', done: string) => {
    setAsked(false);
    setBusy(true);
    await attempt(() => ask(`/v1/queues/${type}/${order}`, { method: 'POST' }), done);
    setBusy(false);
  };
  return (
    <div class="buttons">
      {paused ? (
        <button
          type="button"
          class="primary"
          disabled={busy}
          onClick={() => void set('resume', `${type} goes on.`)}
        >
          Resume <span class="only-read">{type}</span>
        </button>
      ) : (
        <button type="button" disabled={busy} onClick={() => setAsked(true)}>
          Pause <span class="only-read">{type}</span>
        </button>
      )}
      {asked && (
        <Confirm
          title={`Pause ${type}?`}
          action="Pause"
          danger
          onConfirm={() => void set('pause', `${type} is paused.`)}
          onClose={() => setAsked(false)}
        >
          <p>
            No task of {type} is handed to a worker until somebody resumes it, also after a restart.
            What runs goes on, and tasks are taken as ever.
          </p>
        </Confirm>
      )}
    </div>
  );
}
