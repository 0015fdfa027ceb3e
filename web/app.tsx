import { useEffect } from 'preact/hooks';
import { followOverview, overview, overviewFault } from './api/overview.js';
import { loadSession, may, sessionState } from './api/session.js';
import { route } from './route.js';
import { RunPage } from './run/run-page.js';
import { QueuesPage } from './service/queues-page.js';
import { SchedulesPage } from './service/schedules-page.js';
import { TokensPage } from './service/tokens-page.js';
import { DeadLettersPage } from './tasks/dead-letters-page.js';
import { TaskPage } from './tasks/task-page.js';
import { TasksPage } from './tasks/tasks-page.js';
import { Header } from './ui/header.js';
import { Notices } from './ui/notices.js';
import { SignIn } from './ui/sign-in.js';

export function App() {
  useEffect(() => {
    void loadSession();
    return followOverview();
  }, []);
  const state = sessionState.value;
  if (state.kind === 'loading')
    return (
      <p class="centred" role="status">
        Loading …
      </p>
    );
  if (state.kind === 'out') return <SignIn fault={state.fault} />;
  if (state.kind === 'away') {
    return (
      <main class="centred">
        <h1>scriptd is away</h1>
        <p role="alert">{state.fault}</p>
        <button type="button" onClick={() => void loadSession()}>
          Try again
        </button>
      </main>
    );
  }
  return (
    <>
      <button type="button" class="skip" onClick={skip}>
        Skip to content
      </button>
      <Header />
      <Faults />
      <main id="main" tabIndex={-1}>
        <Page />
      </main>
      <Notices />
    </>
  );
}

/** What is wrong with the service stands at the top, on every page, in words. */
function Faults() {
  const fault = overviewFault.value;
  if (fault !== '') {
    return (
      <p class="banner bad" role="alert">
        Not up to date: {fault}
      </p>
    );
  }
  const missing = overview.value?.missing ?? [];
  if (missing.length === 0) return null;
  return (
    <p class="banner warn" role="alert">
      Not ready: {missing.join('; ')}
    </p>
  );
}

function Page() {
  const { path } = route.value;
  const [name, id] = path;
  const title = pageTitles[name ?? ''] ?? 'scriptd';
  useEffect(() => {
    document.title = `${title} · scriptd`;
  }, [title]);
  if (name === 'run') return may('submit') ? <RunPage /> : <Needs scope="submit" />;
  if (!may('read')) return <Needs scope="read" />;
  if (name === 'tasks') return id === undefined ? <TasksPage /> : <TaskPage key={id} id={id} />;
  if (name === 'queues') return <QueuesPage />;
  if (name === 'dead-letters') return <DeadLettersPage />;
  if (name === 'schedules') return <SchedulesPage />;
  if (name === 'tokens') return may('admin') ? <TokensPage /> : <Needs scope="admin" />;
  return (
    <div class="centred">
      <h1>There is nothing here</h1>
      <p>
        <a href="#/run">Run a script</a> or <a href="#/tasks">look at the tasks</a>.
      </p>
    </div>
  );
}

const pageTitles: Readonly<Record<string, string>> = {
  run: 'Run',
  tasks: 'Tasks',
  queues: 'Queues and workers',
  'dead-letters': 'Dead letters',
  schedules: 'Schedules',
  tokens: 'Tokens',
};

function Needs({ scope }: { scope: string }) {
  return (
    <div class="centred">
      <h1>Not with this token</h1>
      <p>This page takes a token of scope {scope}.</p>
    </div>
  );
}

/** A button, since the fragment, by which a link would lead there, says where the page is. */
function skip(): void {
  document.getElementById('main')?.focus();
}
