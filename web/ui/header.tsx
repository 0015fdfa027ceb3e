import { overview, overviewFault } from '../api/overview.js';
import { may, type Scope, sessionState, signOut } from '../api/session.js';
import { route } from '../route.js';
import { nextTheme, theme } from './theme.js';

const places: readonly { path: string; label: string; scope: Scope }[] = [
  { path: 'run', label: 'Run', scope: 'submit' },
  { path: 'tasks', label: 'Tasks', scope: 'read' },
  { path: 'queues', label: 'Queues', scope: 'read' },
  { path: 'dead-letters', label: 'Dead letters', scope: 'read' },
  { path: 'schedules', label: 'Schedules', scope: 'read' },
  { path: 'tokens', label: 'Tokens', scope: 'admin' },
];

export function Header() {
  const [current] = route.value.path;
  return (
    <header class="shell">
      <a class="brand" href="#/run">
        <svg viewBox="0 0 32 32" width="24" height="24" aria-hidden="true">
          <rect width="32" height="32" rx="7" fill="var(--accent)" />
          <path
            d="M8 10l7 6-7 6M17 23h8"
            fill="none"
            stroke="var(--on-accent)"
            stroke-width="3"
            stroke-linecap="round"
            stroke-linejoin="round"
          />
        </svg>
        scriptd
      </a>
      <nav aria-label="Pages">
        {places
          .filter(({ scope }) => may(scope))
          .filter(isShown)
          .map(({ path, label }) => (
            <a key={path} href={`#/${path}`} aria-current={path === current ? 'page' : undefined}>
              {label}
              {path === 'dead-letters' && <DeadLetterCount />}
            </a>
          ))}
      </nav>
      <div class="account">
        <Health />
        <button
          type="button"
          class="plain"
          onClick={nextTheme}
          aria-label={`Colours: ${theme.value}. Change`}
          title={`Colours: ${theme.value}`}
        >
          {{ system: '◐', light: '☀', dark: '☾' }[theme.value]}
        </button>
        <Who />
      </div>
    </header>
  );
}

/** Without tokens there is nothing to see on their page; schedules are of all groups. */
function isShown({ path }: { path: string }): boolean {
  const state = sessionState.value;
  if (state.kind !== 'in') return false;
  if (path === 'tokens') return state.session.tokens;
  return path !== 'schedules' || state.session.group === undefined;
}

function DeadLetterCount() {
  const { deadLetters = 0, deadLettersMore } = overview.value ?? {};
  if (deadLetters === 0) return null;
  return (
    <span class="count">
      {deadLetters}
      {deadLettersMore && '+'}
    </span>
  );
}

function Health() {
  if (!may('read')) return null;
  const seen = overview.value;
  const [state, text] =
    overviewFault.value !== ''
      ? ['bad', 'out of touch']
      : !seen
        ? ['idle', 'connecting']
        : seen.draining
          ? ['warn', 'draining']
          : seen.ready
            ? ['good', 'ready']
            : ['warn', 'not ready'];
  return (
    <span class={`health ${state}`} role="status">
      <i aria-hidden="true" />
      {text}
    </span>
  );
}

function Who() {
  const state = sessionState.value;
  if (state.kind !== 'in' || !state.session.tokens) return null;
  const { name, group } = state.session;
  return (
    <>
      <span class="who" title={group === undefined ? undefined : `of group ${group}`}>
        {name}
      </span>
      <button type="button" class="plain" onClick={() => void signOut()}>
        Sign out
      </button>
    </>
  );
}
