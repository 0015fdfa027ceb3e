import { useCallback, useEffect, useState } from 'preact/hooks';
import { sentenceOf } from '../api/problem.js';
import { serviceNowMs } from './now.js';
import { listSchedules, type ScheduleSummary } from './schedule.js';

/** After a schedule was due it is looked up what came of it; not more often than this. */
const dueMs = { after: 1_500, min: 5_000, max: 24 * 3_600_000 };

export interface ScheduleList {
  /** Undefined: not known yet. */
  schedules: ScheduleSummary[] | undefined;
  fault: string;
  load: () => Promise<void>;
}

/** All schedules. They are asked for again when one was due: nothing else changes by itself. */
export function useScheduleList(): ScheduleList {
  const [schedules, setSchedules] = useState<ScheduleSummary[] | undefined>();
  const [fault, setFault] = useState('');
  const load = useCallback(async () => {
    try {
      setSchedules(await listSchedules());
      setFault('');
    } catch (error) {
      setFault(sentenceOf(error));
    }
  }, []);
  useEffect(() => {
    void load();
  }, [load]);
  useEffect(() => {
    const waitMs = untilDueMs(schedules ?? []);
    const loadIfSeen = () => {
      if (!document.hidden) void load();
    };
    const timer = waitMs < dueMs.max ? setTimeout(loadIfSeen, waitMs) : undefined;
    document.addEventListener('visibilitychange', loadIfSeen);
    return () => {
      clearTimeout(timer);
      document.removeEventListener('visibilitychange', loadIfSeen);
    };
  }, [schedules, load]);
  return { schedules, fault, load };
}

function untilDueMs(schedules: readonly ScheduleSummary[]): number {
  const due = schedules.flatMap(({ nextRunAt }) => nextRunAt ?? []).map((at) => Date.parse(at));
  return Math.max(Math.min(...due) + dueMs.after - serviceNowMs(), dueMs.min);
}
