import type { Attempt, Task } from '../../src/client/task.js';
import { StateBadge } from '../ui/badge.js';
import { clock, milliseconds } from '../ui/format.js';
import { VisibleText } from '../verdict/visible-text.js';
import { nowMs } from './clock.js';

/** Every attempt that the service remembers, oldest first. */
export function Attempts({ task: { attempts, attempt } }: { task: Task }) {
  if (attempts.length === 0) return <p class="dim">It has not been handed to a worker yet.</p>;
  const left = attempt - attempts.length;
  return (
    <>
      {left > 0 && <p class="hint">The first {left} are not kept.</p>}
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keys */}
      <section class="scrolled" aria-label="Attempts, one by one" tabIndex={0}>
        <table>
          <thead>
            <tr>
              <th scope="col" class="number">
                No.
              </th>
              <th scope="col">How it ended</th>
              <th scope="col">Worker</th>
              <th scope="col">Start</th>
              <th scope="col" class="number">
                Duration
              </th>
              <th scope="col">What happened</th>
            </tr>
          </thead>
          <tbody>
            {attempts.map((one) => (
              <Row key={one.attempt} attempt={one} />
            ))}
          </tbody>
        </table>
      </section>
    </>
  );
}

function Row({ attempt }: { attempt: Attempt }) {
  const { attempt: number, worker, startedAt, finishedAt, outcome, code, reason } = attempt;
  return (
    <tr>
      <td class="number">{number}</td>
      <td>
        {finishedAt !== undefined && outcome === undefined ? (
          <span class="badge idle">handed back</span>
        ) : (
          <StateBadge task={{ state: 'running', outcome }} />
        )}
      </td>
      <td>
        <VisibleText text={worker} />
      </td>
      <td>
        <time dateTime={startedAt} title={startedAt}>
          {clock(startedAt)}
        </time>
      </td>
      <td class="number">{lasted(startedAt, finishedAt)}</td>
      <td class="words">
        {code !== undefined && <code>{code}</code>}{' '}
        {reason !== undefined && <VisibleText text={reason} />}
      </td>
    </tr>
  );
}

/** Up to now where it has not ended. */
function lasted(startedAt: string, finishedAt: string | undefined): string {
  const end = finishedAt === undefined ? nowMs.value : Date.parse(finishedAt);
  return milliseconds(Math.max(0, end - Date.parse(startedAt)));
}
