import type { TaskState } from '../../src/client/task.js';
import type { Outcome } from '../../src/verdict.js';

/** What the list shows; the names are those of the parameters of `GET /v1/tasks`. */
export interface TaskFilter {
  state?: TaskState;
  type?: string;
  outcome?: Outcome;
  group?: string;
  tag?: string;
  text?: string;
  deadLetter?: 'true';
}

export type FilterName = keyof TaskFilter;

const names: readonly FilterName[] = [
  'state',
  'type',
  'outcome',
  'group',
  'tag',
  'text',
  'deadLetter',
];

/** Of a place's query, as it stands in the address. What is no filter is left aside. */
export function filterOf(query: URLSearchParams): TaskFilter {
  const found = names.flatMap((name) => {
    const value = query.get(name);
    return value ? [[name, value] as const] : [];
  });
  return Object.fromEntries(found) as TaskFilter;
}

/** The filter as parameters, always in the same order; so it also names a list. */
export function parametersOf(
  filter: TaskFilter,
  more: Record<string, string | undefined> = {},
): string {
  const search = new URLSearchParams();
  for (const name of names) if (filter[name]) search.set(name, filter[name]);
  for (const [name, value] of Object.entries(more))
    if (value !== undefined) search.set(name, value);
  return search.toString();
}

/** With another value of one; '' takes it away. */
export function withFilter(filter: TaskFilter, name: FilterName, value: string): TaskFilter {
  const { [name]: _, ...rest } = filter;
  return value === '' ? rest : { ...rest, [name]: value };
}
