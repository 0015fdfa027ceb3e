import './form.css';
import { useEffect, useState } from 'preact/hooks';
import { sentenceOf } from '../api/problem.js';
import { getSchedule, type Schedule } from './schedule.js';
import { ScheduleForm } from './schedule-form.js';

/** To make a schedule, or to change the one that is there. @param id undefined: a new one */
export function ScheduleEditor({ id }: { id: string | undefined }) {
  const [schedule, setSchedule] = useState<Schedule | undefined>();
  const [fault, setFault] = useState('');
  useEffect(() => {
    if (id === undefined) return;
    getSchedule(id).then(setSchedule, (error) => setFault(sentenceOf(error)));
  }, [id]);
  return (
    <>
      <div class="page-head">
        <h1>{id === undefined ? 'New schedule' : `Schedule ${id}`}</h1>
        <a href="#/schedules">All schedules</a>
      </div>
      {fault !== '' && (
        <p class="fault" role="alert">
          {fault}
        </p>
      )}
      {(id === undefined || schedule) && <ScheduleForm schedule={schedule} />}
    </>
  );
}
