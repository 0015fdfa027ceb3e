import './verdict.css';
import type { Task } from '../../src/client/task.js';
import { milliseconds } from '../ui/format.js';

const phases = [
  { name: 'queuedMs', label: 'queued', colour: 'var(--phase-queued)' },
  { name: 'dispatchMs', label: 'dispatch', colour: 'var(--phase-dispatch)' },
  { name: 'startMs', label: 'start', colour: 'var(--phase-start)' },
  { name: 'runMs', label: 'run', colour: 'var(--phase-run)' },
  { name: 'drainMs', label: 'drain', colour: 'var(--phase-drain)' },
  { name: 'checkMs', label: 'check', colour: 'var(--phase-check)' },
] as const;

/** Where the time of the last attempt went. */
export function Timeline({ task }: { task: Task }) {
  const { timeline } = task;
  if (!timeline) return null;
  const shown = phases
    .map((phase) => ({ ...phase, ms: timeline[phase.name] ?? 0 }))
    .filter(({ ms }) => ms > 0);
  const totalMs = shown.reduce((sum, { ms }) => sum + ms, 0);
  return (
    <section class="timeline" aria-label="Where the time went">
      <div class="part-head">
        <h3>Where the time went</h3>
        <span class="hint">{milliseconds(totalMs)} in all</span>
      </div>
      <div class="timeline-bar" aria-hidden="true">
        {shown.map(({ name, label, ms, colour }) => (
          <span
            key={name}
            title={`${label}: ${milliseconds(ms)}`}
            style={{ flexGrow: ms / totalMs, background: colour }}
          />
        ))}
      </div>
      <dl class="timeline-legend">
        {shown.map(({ name, label, ms, colour }) => (
          <div key={name}>
            <dt>
              <i style={{ background: colour }} aria-hidden="true" />
              {label}
            </dt>
            <dd>{milliseconds(ms)}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}
