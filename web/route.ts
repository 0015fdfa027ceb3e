import { computed, signal } from '@preact/signals';

/**
 * Where the page is. It stands in the fragment of the address, which browsers send to nobody: the
 * script in a link that was shared does not come into any log.
 */
const hash = signal(location.hash);
addEventListener('hashchange', () => {
  hash.value = location.hash;
});

export interface Route {
  /** e.g. `['tasks', ID]`; never empty. */
  path: string[];
  query: URLSearchParams;
}

export const route = computed<Route>(() => {
  const [path = '', query = ''] = hash.value.replace(/^#\/?/, '').split('?', 2);
  const parts = path.split('/').filter((part) => part !== '');
  return {
    path: parts.length === 0 ? ['run'] : parts.map(decoded),
    query: new URLSearchParams(query),
  };
});

/** The address of a place in the page, for links. */
export function href(path: readonly string[], query?: Record<string, string | undefined>): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query ?? {})) if (value) search.set(name, value);
  const text = search.toString();
  return `#/${path.map(encodeURIComponent).join('/')}${text === '' ? '' : `?${text}`}`;
}

/** @param how `replace`: *back* does not lead here */
export function go(
  path: readonly string[],
  query?: Record<string, string | undefined>,
  how: 'push' | 'replace' = 'push',
): void {
  if (how === 'push') location.hash = href(path, query);
  else {
    window.history.replaceState(null, '', href(path, query));
    hash.value = location.hash;
  }
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch (error) {
    // Written by hand: shown as it is.
    if (error instanceof URIError) return part;
    throw error;
  }
}
