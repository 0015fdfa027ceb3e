import './entries.css';
import './schedules.css';
import { may } from '../api/session.js';
import { href, route } from '../route.js';
import { ScheduleEditor } from './schedule-editor.js';
import { ScheduleEntry } from './schedule-entry.js';
import { useScheduleList } from './schedule-list.js';

/** What a clock submits. Its forms have addresses of their own: `?new=yes`, `?edit=ID`. */
export function SchedulesPage() {
  const { query } = route.value;
  const edited = query.get('edit') ?? undefined;
  if (may('admin') && (edited !== undefined || query.has('new'))) {
    return <ScheduleEditor key={edited} id={edited} />;
  }
  return <All />;
}

function All() {
  const { schedules, fault, load } = useScheduleList();
  return (
    <>
      <div class="page-head">
        <h1>Schedules</h1>
        {may('admin') && (
          <a class="button" href={href(['schedules'], { new: 'yes' })}>
            New schedule
          </a>
        )}
      </div>
      {fault !== '' && (
        <p class="fault" role="alert">
          {fault}
        </p>
      )}
      {!schedules && fault === '' && <p class="empty">Loading …</p>}
      {schedules?.length === 0 && (
        <p class="card empty">
          No schedules yet. A schedule submits a task whenever its clock says so.
        </p>
      )}
      <ul class="entries">
        {schedules?.map((schedule) => (
          <ScheduleEntry key={schedule.id} schedule={schedule} onChange={load} />
        ))}
      </ul>
    </>
  );
}
