import { sessionState } from '../api/session.js';
import { GridSpace } from './grid-space.js';
import { parametersOf, type TaskFilter } from './task-filter.js';
import { TaskList } from './task-list.js';

/** A list with where somebody was in it. */
export interface KeptList {
  list: TaskList;
  space: GridSpace;
  /** Id of the row that the keys are at; '' before there is one. */
  active: string;
  /** Where it was when it was last looked for. */
  activeAt: number;
  /** Ids of the rows that were chosen. */
  chosen: Set<string>;
}

/** The list that was looked at last: who comes back from a task finds it as it was. */
let last: { name: string; session: unknown; kept: KeptList } | undefined;

/** @param page that shows it: another has a list of its own */
export function keptList(page: string, filter: TaskFilter): KeptList {
  const name = `${page}?${parametersOf(filter)}`;
  // Whoever signs in next must not see it.
  const session = sessionState.value;
  if (last?.name === name && last.session === session) return last.kept;
  const kept: KeptList = {
    list: new TaskList(filter),
    space: new GridSpace(),
    active: '',
    activeAt: -1,
    chosen: new Set(),
  };
  last = { name, session, kept };
  return kept;
}
