import { overview, type Warning } from '../api/overview.js';
import { href } from '../route.js';
import { VisibleText } from '../verdict/visible-text.js';

interface Place {
  to: string;
  label: string;
}

/** Where one acts on it, by its code. What is not here is to be cured outside of the page. */
const places: Readonly<Record<string, (warning: Warning) => Place>> = {
  NO_WORKER: ({ type }) => pending(type),
  QUEUE_GROWS: ({ type }) => pending(type),
  PAUSED: ({ type }) => ({ to: href(['queues'], { type }), label: 'To its queue' }),
  DEAD_LETTERS: () => ({ to: href(['dead-letters']), label: 'Look at them' }),
  WEAK_ISOLATION: ({ type }) => ({ to: href(['queues'], { type }), label: 'To its workers' }),
  WORKER_SILENT: (warning) => worker(warning),
  NOT_READY: () => ({ to: '/readyz', label: 'What it says of itself' }),
};

/** While these hold, something does not run. */
const grave = new Set(['NO_WORKER', 'NOT_READY', 'WORKER_SILENT', 'DRAINING']);

function pending(type: string | undefined): Place {
  return { to: href(['tasks'], { state: 'pending', type }), label: 'What waits' };
}

function worker({ type, worker: id }: Warning): Place {
  return { to: href(['queues'], { type, worker: id }), label: 'To the worker' };
}

/** What is wrong, the most serious first, as the service orders it. */
export function Warnings() {
  const warnings = overview.value?.warnings ?? [];
  return (
    <section class="warnings" aria-label="Warnings">
      {/* The number alone is told as it changes: the sentences hold numbers that always do. */}
      <p class="only-read" role="status">
        {warnings.length === 0 ? 'No warnings' : `Warnings: ${warnings.length}`}
      </p>
      {warnings.length > 0 && (
        <ul>
          {warnings.map((warning) => (
            <Row key={keyOf(warning)} warning={warning} />
          ))}
        </ul>
      )}
    </section>
  );
}

/** The same one while only its numbers change. */
function keyOf({ code, worker, text }: Warning): string {
  return `${code} ${worker} ${text.replaceAll(/\d+/g, '#')}`;
}

function Row({ warning }: { warning: Warning }) {
  const { code, text } = warning;
  const place = places[code]?.(warning);
  return (
    <li class={grave.has(code) ? 'bad' : 'warn'}>
      <svg viewBox="0 0 20 20" width="20" height="20" aria-hidden="true">
        <path
          d="M10 2L19 18H1Z"
          fill="none"
          stroke="currentColor"
          stroke-width="2"
          stroke-linejoin="round"
        />
        <path
          d="M10 8v4.5M10 14.8v.4"
          stroke="currentColor"
          stroke-width="2"
          stroke-linecap="round"
        />
      </svg>
      <span>
        <VisibleText text={text} />
      </span>
      {place && <a href={place.to}>{place.label}</a>}
    </li>
  );
}
