import { useState } from 'preact/hooks';
import { may } from '../api/session.js';
import { href } from '../route.js';
import type { ScheduleSummary } from './schedule.js';
import { ScheduleActions } from './schedule-actions.js';
import { ScheduleDetails } from './schedule-details.js';
import { Ago, Ahead, zoned } from './when.js';

export interface ScheduleEntryProps {
  schedule: ScheduleSummary;
  /** It was changed: the list is to be asked for again. */
  onChange: () => Promise<void>;
}

/** One schedule of the list. */
export function ScheduleEntry({ schedule, onChange }: ScheduleEntryProps) {
  const { id, cron, timeZone, enabled, nextRunAt, lastRunAt, lastTaskId } = schedule;
  const [ranId, setRanId] = useState<string | undefined>();
  return (
    <li class="card padded entry">
      <div>
        <h2>{id}</h2>
        <span class={`badge ${enabled ? 'good' : 'idle'}`}>{enabled ? 'enabled' : 'disabled'}</span>
      </div>
      <dl class="entry-facts">
        <div>
          <dt>When</dt>
          <dd>
            <code class="cron">{cron}</code>
            <div class="hint">{timeZone}</div>
          </dd>
        </div>
        <div>
          <dt>Next run</dt>
          <dd>
            {nextRunAt === undefined ? (
              enabled ? (
                'none any more'
              ) : (
                'none while it is disabled'
              )
            ) : (
              <>
                <Ahead at={nextRunAt} />
                <div class="hint">{zoned(nextRunAt, timeZone)}</div>
              </>
            )}
          </dd>
        </div>
        <div>
          <dt>Last run</dt>
          <dd>
            {lastRunAt === undefined ? (
              'never'
            ) : (
              <>
                <Ago at={lastRunAt} />
                {lastTaskId !== undefined && (
                  <div>
                    <a href={href(['tasks', lastTaskId])}>
                      its task<span class="only-read"> of {id}</span>
                    </a>
                  </div>
                )}
              </>
            )}
          </dd>
        </div>
      </dl>
      {may('admin') && <ScheduleActions schedule={schedule} onChange={onChange} onRun={setRanId} />}
      <p class="ran" role="status">
        {ranId !== undefined && (
          <>
            Submitted now: <a href={href(['tasks', ranId])}>the task</a>
          </>
        )}
      </p>
      <ScheduleDetails schedule={schedule} />
    </li>
  );
}
