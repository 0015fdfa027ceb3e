import { useEffect, useId, useRef, useState } from 'preact/hooks';
import { go } from '../route.js';
import { notify } from '../ui/notices.js';
import { Field } from './field.js';
import { type FormFault, focusFault, formFaultOf } from './form-fault.js';
import { makeSchedule, putSchedule, type Schedule } from './schedule.js';
import { missedTexts } from './schedule-details.js';
import { bodyOf, draftFields, draftOf, emptyDraft, unshownOf } from './schedule-draft.js';
import { TaskFields } from './task-fields.js';

/** Every field of a schedule. What the service refuses stands at the field that it is about. */
export function ScheduleForm({ schedule }: { schedule: Schedule | undefined }) {
  const [draft, setDraft] = useState(() => (schedule ? draftOf(schedule) : emptyDraft));
  const [fault, setFault] = useState<FormFault | undefined>();
  const [busy, setBusy] = useState(false);
  const form = useRef<HTMLFormElement>(null);
  useEffect(() => focusFault(form.current), [fault]);
  const change = (changes: Partial<typeof draft>) => setDraft({ ...draft, ...changes });
  const faultOf = (field: string) => (fault?.field === field ? fault.message : '');

  const save = async (event: Event) => {
    event.preventDefault();
    setBusy(true);
    setFault(undefined);
    try {
      const body = bodyOf(draft, schedule?.task);
      await (schedule ? putSchedule(schedule.id, body) : makeSchedule(draft.id, body));
      notify('good', `${draft.id} is saved.`);
      go(['schedules']);
    } catch (error) {
      setFault(formFaultOf(error, draftFields, { SCHEDULE_EXISTS: 'id' }));
      setBusy(false);
    }
  };

  return (
    <form class="card padded form" ref={form} onSubmit={save} noValidate>
      <div class="form-fields">
        <Field
          label="Id"
          fault={faultOf('id')}
          hint={schedule ? "Its name can't be changed." : 'Letters, digits, -, _ and dots.'}
        >
          {(ties) => (
            <input
              {...ties}
              value={draft.id}
              readOnly={schedule !== undefined}
              onInput={(event) => change({ id: event.currentTarget.value })}
            />
          )}
        </Field>
        <Field
          label="Cron"
          fault={faultOf('cron')}
          hint={
            <>
              Minute, hour, day of month, month, day of week, e.g. <code>0 3 * * *</code>; seconds
              may stand before them; or <code>@hourly</code>, <code>@daily</code> …
            </>
          }
        >
          {(ties) => (
            <input
              {...ties}
              class="mono"
              spellcheck={false}
              value={draft.cron}
              onInput={(event) => change({ cron: event.currentTarget.value })}
            />
          )}
        </Field>
        <ZoneField
          value={draft.timeZone}
          fault={faultOf('timeZone')}
          onChange={(timeZone) => change({ timeZone })}
        />
        <Field label="Missed runs" fault={faultOf('missed')} hint={missedTexts[draft.missed]}>
          {(ties) => (
            <select
              {...ties}
              value={draft.missed}
              onChange={({ currentTarget: { value } }) =>
                change({ missed: value as typeof draft.missed })
              }
            >
              <option value="skip">skip</option>
              <option value="once">once</option>
              <option value="all">all</option>
            </select>
          )}
        </Field>
      </div>
      <label class="check">
        <input
          type="checkbox"
          checked={draft.enabled}
          onChange={(event) => change({ enabled: event.currentTarget.checked })}
        />
        Enabled
      </label>
      <TaskFields draft={draft} change={change} faultOf={faultOf} />
      {schedule && <Unshown schedule={schedule} />}
      {fault && fault.field === undefined && (
        <p class="fault" role="alert" tabIndex={-1}>
          {fault.message}
        </p>
      )}
      <div class="buttons">
        <button type="submit" class="primary" disabled={busy}>
          Save
        </button>
        <a class="button" href="#/schedules">
          Leave it
        </a>
      </div>
    </form>
  );
}

interface ZoneFieldProps {
  value: string;
  fault: string;
  onChange: (zone: string) => void;
}

function ZoneField({ value, fault, onChange }: ZoneFieldProps) {
  const list = useId();
  const own = Intl.DateTimeFormat().resolvedOptions().timeZone;
  return (
    <Field label="Time zone" fault={fault} hint={`Whose clock it goes by. Yours is ${own}.`}>
      {(ties) => (
        <>
          <input
            {...ties}
            list={list}
            spellcheck={false}
            value={value}
            onInput={(event) => onChange(event.currentTarget.value)}
          />
          <datalist id={list}>
            {['UTC', ...Intl.supportedValuesOf('timeZone')].map((zone) => (
              <option key={zone} value={zone} />
            ))}
          </datalist>
        </>
      )}
    </Field>
  );
}

/** So that nobody wonders what becomes of what can't be seen here. */
function Unshown({ schedule: { task } }: { schedule: Schedule }) {
  const names = unshownOf(task);
  if (names.length === 0) return null;
  return (
    <p class="hint">
      The task also has {names.join(', ')}: that stays as it is.
      {task.webhook &&
        " But a secret of its webhook is shown to nobody: when this is saved, the service's own takes its place."}
    </p>
  );
}
