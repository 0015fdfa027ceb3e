import './queues.css';
import './entries.css';
import { useEffect, useId } from 'preact/hooks';
import { overview } from '../api/overview.js';
import { go, route } from '../route.js';
import { QueueCard } from './queue-card.js';
import { Warnings } from './warnings.js';
import { WorkerCard } from './worker-card.js';

/** How the service is: what is wrong with it, its queues and its workers. All of it live. */
export function QueuesPage() {
  const seen = overview.value;
  const wanted = route.value.query.get('type') ?? '';
  const chosen = seen?.queues.some(({ type }) => type === wanted) ? wanted : '';
  const isShown = ({ type }: { type: string }) => chosen === '' || type === chosen;
  const queues = seen?.queues.filter(isShown) ?? [];
  const workers = seen?.workers.filter(isShown) ?? [];
  useWorkerInView(workers.length > 0);
  return (
    <>
      <div class="page-head">
        <h1>Queues and workers</h1>
        {seen && seen.queues.length > 1 && (
          <TypeChoice types={seen.queues.map(({ type }) => type)} chosen={chosen} />
        )}
      </div>
      <Warnings />
      {!seen && <p class="empty">Loading …</p>}
      {seen && queues.length === 0 && <p class="card empty">There are no types yet.</p>}
      {queues.map((queue) => (
        <QueueCard key={queue.type} queue={queue} />
      ))}
      {seen && (
        <section aria-labelledby="workers">
          <h2 id="workers" class="section-head">
            Workers
          </h2>
          {workers.length === 0 ? (
            <p class="card empty">No worker is connected.</p>
          ) : (
            <ul class="workers">
              {workers.map((worker) => (
                <WorkerCard key={worker.id} worker={worker} />
              ))}
            </ul>
          )}
          {seen.workersMore && (
            <p class="hint">
              There are more than these: <code>scriptd workers</code> lists all.
            </p>
          )}
        </section>
      )}
    </>
  );
}

function TypeChoice({ types, chosen }: { types: readonly string[]; chosen: string }) {
  const id = useId();
  return (
    <div class="type-choice">
      <label for={id}>Type</label>
      <select
        id={id}
        value={chosen}
        onChange={(event) => go(['queues'], { type: event.currentTarget.value }, 'replace')}
      >
        <option value="">all types</option>
        {types.map((type) => (
          <option key={type} value={type}>
            {type}
          </option>
        ))}
      </select>
    </div>
  );
}

/** The worker that a link leads to is looked for once the workers are there. */
function useWorkerInView(areThere: boolean): void {
  const id = route.value.query.get('worker');
  useEffect(() => {
    if (id === null || !areThere) return;
    const card = document.getElementById(`worker-${id}`);
    card?.scrollIntoView({ block: 'center' });
    card?.focus({ preventScroll: true });
  }, [id, areThere]);
}
