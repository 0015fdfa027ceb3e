import { useState } from 'preact/hooks';
import { href } from '../route.js';
import { Confirm } from '../ui/confirm.js';
import { attempt } from '../ui/notices.js';
import { deleteSchedule, runSchedule, type ScheduleSummary, setEnabled } from './schedule.js';

export interface ScheduleActionsProps {
  schedule: ScheduleSummary;
  onChange: () => Promise<void>;
  /** @param id of the task that was submitted */
  onRun: (id: string) => void;
}

/** What an admin can do with a schedule. */
export function ScheduleActions({ schedule, onChange, onRun }: ScheduleActionsProps) {
  const { id, enabled } = schedule;
  const [asked, setAsked] = useState(false);
  const [busy, setBusy] = useState(false);
  const act = async (what: () => Promise<unknown>, done?: string) => {
    setAsked(false);
    setBusy(true);
    await attempt(what, done);
    await onChange();
    setBusy(false);
  };
  const turned = `${id} is ${enabled ? 'disabled: it submits nothing' : 'enabled'}.`;
  const of = <span class="only-read"> {id}</span>;
  return (
    <div class="buttons">
      <button
        type="button"
        class="small"
        disabled={busy}
        onClick={() => void act(async () => onRun((await runSchedule(id)).id))}
      >
        Run now{of}
      </button>
      <button
        type="button"
        class="small"
        disabled={busy}
        onClick={() => void act(() => setEnabled(id, !enabled), turned)}
      >
        {enabled ? 'Disable' : 'Enable'}
        {of}
      </button>
      <a class="button small" href={href(['schedules'], { edit: id })}>
        Edit{of}
      </a>
      <button type="button" class="small" disabled={busy} onClick={() => setAsked(true)}>
        Delete{of}
      </button>
      {asked && (
        <Confirm
          title={`Delete ${id}?`}
          action="Delete"
          danger
          onConfirm={() => void act(() => deleteSchedule(id), `${id} is deleted.`)}
          onClose={() => setAsked(false)}
        >
          <p>It submits nothing more and can't be brought back. What it has submitted goes on.</p>
        </Confirm>
      )}
    </div>
  );
}
