import { useState } from 'preact/hooks';
import { href } from '../route.js';
import { Confirm } from '../ui/confirm.js';
import { attempt } from '../ui/notices.js';
import {
  deleteSchedule,
  getSchedule,
  putEnabled,
  runSchedule,
  type Schedule,
  type ScheduleSummary,
} from './schedule.js';

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
  /** What is to be enabled or disabled, and has a webhook. */
  const [losing, setLosing] = useState<Schedule>();
  const [busy, setBusy] = useState(false);
  const act = async (what: () => Promise<unknown>, done?: string) => {
    setAsked(false);
    setLosing(undefined);
    setBusy(true);
    await attempt(what, done);
    await onChange();
    setBusy(false);
  };
  const turned = `${id} is ${enabled ? 'disabled: it submits nothing' : 'enabled'}.`;
  // It is put again as it was read, and the secret of a webhook is not read by anybody.
  const turn = async () => {
    const read = await attempt(async () => {
      const whole = await getSchedule(id);
      if (whole.task.webhook) setLosing(whole);
      else await act(() => putEnabled(whole, !enabled), turned);
    });
    if (!read) await onChange();
  };
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
      <button type="button" class="small" disabled={busy} onClick={() => void turn()}>
        {enabled ? 'Disable' : 'Enable'}
        {of}
      </button>
      <a class="button small" href={href(['schedules'], { edit: id })}>
        Edit{of}
      </a>
      <button type="button" class="small" disabled={busy} onClick={() => setAsked(true)}>
        Delete{of}
      </button>
      {losing && (
        <Confirm
          title={`${enabled ? 'Disable' : 'Enable'} ${id}?`}
          action={enabled ? 'Disable' : 'Enable'}
          onConfirm={() => void act(() => putEnabled(losing, !enabled), turned)}
          onClose={() => setLosing(undefined)}
        >
          <p>
            Its webhook stays. But if it has a secret of its own, the service's takes that one's
            place: it is shown to nobody, and so can't be put again from here.
          </p>
        </Confirm>
      )}
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
