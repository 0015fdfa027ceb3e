import { count } from '../ui/format.js';
import { rowsMax, type TaskList } from './task-list.js';

/** Below a list: how much of it is here, and what is wrong with it. */
export function ListFoot({ list }: { list: TaskList }) {
  void list.version.value;
  if (!list.isKnown) return null;
  const rows = count(list.rows.length);
  const again = (
    <button type="button" class="small" onClick={() => void list.older()}>
      {list.isResting ? 'Look further' : 'Try again'}
    </button>
  );
  return (
    <div class="list-foot hint">
      {list.fault !== '' && <p class="fault">Not live: {list.fault}</p>}
      {list.pageFault !== '' ? (
        <p class="fault">
          Older tasks did not come: {list.pageFault} {again}
        </p>
      ) : list.rows.length >= rowsMax ? (
        <p>Shown are the newest {rows}: narrow the filters to see older ones.</p>
      ) : list.isResting ? (
        <p>Very many tasks do not fit these filters. {again}</p>
      ) : list.isWhole ? (
        <p>{list.rows.length === 1 ? 'One task.' : list.rows.length > 1 && `All ${rows} tasks.`}</p>
      ) : list.isAsking ? (
        <p>{rows} loaded; loading older ones …</p>
      ) : (
        <p>{rows} loaded; older ones come as you scroll.</p>
      )}
    </div>
  );
}
