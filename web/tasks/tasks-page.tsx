import { useEffect, useMemo, useState } from 'preact/hooks';
import { may } from '../api/session.js';
import { go, route } from '../route.js';
import { count } from '../ui/format.js';
import { FilterBar } from './filter-bar.js';
import { keptList } from './kept-list.js';
import { ListFoot } from './list-foot.js';
import { type ActionKind, actionOf, TaskAction } from './task-action.js';
import { taskColumns } from './task-columns.js';
import { filterOf, parametersOf, type TaskFilter } from './task-filter.js';
import { TaskGrid } from './task-grid.js';
import type { TaskList } from './task-list.js';
import type { TaskRow } from './task-row.js';
import './tasks-page.css';

interface Asked {
  kind: ActionKind;
  row: TaskRow;
}

/** All tasks that whoever looks may see; what is shown of them stands in the address. */
export function TasksPage() {
  const filter = filterOf(route.value.query);
  const name = parametersOf(filter);
  const kept = useMemo(() => keptList('tasks', filter), [name]);
  useEffect(() => kept.list.start(), [kept]);
  const [asked, setAsked] = useState<Asked | undefined>();
  const setFilter = (next: TaskFilter, isTyped: boolean) =>
    go(['tasks'], { ...next }, isTyped ? 'replace' : 'push');
  useSlash();

  const press = (event: KeyboardEvent, row: TaskRow | undefined) => {
    if (event.key === 'Escape' && filter.text !== undefined) {
      const { text: _, ...rest } = filter;
      setFilter(rest, false);
      return true;
    }
    const kind = ({ c: 'cancel', r: 'retry' } as const)[event.key];
    if (!kind || !row || !may('submit') || actionOf(row) !== kind) return false;
    setAsked({ kind, row });
    return true;
  };
  return (
    <div class="tasks-page">
      <div class="page-head">
        <h1>Tasks</h1>
        <Keys />
      </div>
      <FilterBar filter={filter} onChange={setFilter} />
      <div class="card list">
        <Held list={kept.list} />
        <TaskGrid label="Tasks" kept={kept} columns={taskColumns} look="tasks" onKey={press}>
          <Nothing list={kept.list} onClear={() => setFilter({}, false)} />
        </TaskGrid>
        <ListFoot list={kept.list} />
      </div>
      {asked && (
        <TaskAction
          kind={asked.kind}
          id={asked.row.id}
          type={asked.row.type}
          onClose={() => setAsked(undefined)}
        />
      )}
    </div>
  );
}

function Keys() {
  return (
    <p class="hint keys">
      <kbd>↑</kbd> <kbd>↓</kbd> move · <kbd>Enter</kbd> open · <kbd>/</kbd> search
      {may('submit') && (
        <>
          {' '}
          · <kbd>c</kbd> cancel · <kbd>r</kbd> send again
        </>
      )}
    </p>
  );
}

/** What is new while the list is not at its top: rows must not move under the pointer. */
function Held({ list }: { list: TaskList }) {
  void list.version.value;
  const { count: held, isMore } = list.held;
  return (
    <div class="held">
      <span class="only-read" role="status">
        {held > 0 && 'There are new tasks at the top.'}
      </span>
      {held > 0 && (
        <button
          type="button"
          class="small primary"
          onClick={(event) => {
            // They are shown as soon as the list is at its top.
            const grid = event.currentTarget.closest('.list')?.querySelector('[role=grid]');
            grid?.scrollTo({ top: 0 });
          }}
        >
          ↑ {count(held)}
          {isMore && '+'} new
        </button>
      )}
    </div>
  );
}

function Nothing({ list, onClear }: { list: TaskList; onClear: () => void }) {
  void list.version.value;
  const isRefused = list.fault !== '' && !list.isKnown;
  if (!list.isKnown && !isRefused) return <p>Loading …</p>;
  if (!list.isWhole && !isRefused) return <p>Looking for tasks that fit …</p>;
  if (Object.keys(list.filter).length > 0) {
    return (
      <>
        {isRefused ? <p class="fault">{list.fault}</p> : <p>No task fits these filters.</p>}
        <button type="button" onClick={onClear}>
          Clear the filters
        </button>
      </>
    );
  }
  if (isRefused) return <p class="fault">{list.fault}</p>;
  return (
    <p>
      No tasks yet
      {may('submit') ? (
        <>
          : <a href="#/run">run one</a>.
        </>
      ) : (
        '.'
      )}
    </p>
  );
}

/** The key that leads to the search, from wherever nothing is typed. */
function useSlash(): void {
  useEffect(() => {
    const listen = (event: KeyboardEvent) => {
      const isTyping =
        event.target instanceof Element &&
        event.target.closest('input, textarea, select, dialog') !== null;
      if (event.key !== '/' || isTyping || event.ctrlKey || event.metaKey) return;
      const field = document.querySelector<HTMLInputElement>('.filters input[name=text]');
      if (!field) return;
      event.preventDefault();
      field.focus();
      field.select();
    };
    document.addEventListener('keydown', listen);
    return () => document.removeEventListener('keydown', listen);
  }, []);
}
