import { useEffect, useState } from 'preact/hooks';
import { sentenceOf } from '../api/problem.js';
import { VisibleText } from '../verdict/visible-text.js';
import { getSchedule, type Schedule, type ScheduleSummary } from './schedule.js';
import { Ahead, zoned } from './when.js';

/** The next runs and the task of a schedule, asked for once somebody wants to see them. */
export function ScheduleDetails({ schedule }: { schedule: ScheduleSummary }) {
  const [isOpen, setOpen] = useState(false);
  const [shown, setShown] = useState<Schedule | undefined>();
  const [fault, setFault] = useState('');
  useEffect(() => {
    if (!isOpen) return;
    getSchedule(schedule.id).then(setShown, (error) => setFault(sentenceOf(error)));
  }, [isOpen, schedule]);
  return (
    <details onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>Next runs and task</summary>
      {fault !== '' && <p class="fault">{fault}</p>}
      {isOpen && shown && <Shown schedule={shown} />}
    </details>
  );
}

function Shown({ schedule: { timeZone, missed, upcoming = [], task } }: { schedule: Schedule }) {
  const { code, type, args = [], limits = {} } = task;
  return (
    <div class="schedule-details">
      <div>
        <h3>Next runs</h3>
        {upcoming.length === 0 && <p class="dim">None.</p>}
        <ol>
          {upcoming.map((at) => (
            <li key={at}>
              {zoned(at, timeZone)}{' '}
              <span class="dim">
                (<Ahead at={at} />)
              </span>
            </li>
          ))}
        </ol>
        <p class="hint">{missedTexts[missed]}</p>
      </div>
      <div>
        <h3>Task{type !== undefined && ` of ${type}`}</h3>
        {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must do so by the keyboard too */}
        <pre class="code" tabIndex={0}>
          <VisibleText text={code} />
        </pre>
        {args.length > 0 && (
          <p>
            Arguments:{' '}
            {args.map((argument, index) => (
              <code key={index} class="tag">
                <VisibleText text={argument} />
              </code>
            ))}
          </p>
        )}
        {Object.keys(limits).length > 0 && (
          <p>
            Limits:{' '}
            {Object.entries(limits).map(([name, value]) => (
              <code key={name} class="tag">
                {name} {value}
              </code>
            ))}
          </p>
        )}
      </div>
    </div>
  );
}

/** What becomes of runs whose time passed while the service was away. */
export const missedTexts = {
  skip: 'Runs whose time passes while the service is away are left out.',
  once: 'Of the runs whose time passes while the service is away, one is made up for.',
  all: 'Every run whose time passes while the service is away is made up for.',
} as const;
