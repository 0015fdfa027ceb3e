import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { parse } from 'yaml';
import { packageRoot } from '../../src/native.js';
import { debugAddressOf, Service, until } from '../cli/service.js';
import { type Exposition, readExposition } from '../http/metrics-text.js';

const rulesFile = join(packageRoot, 'deploy/prometheus/scriptd.rules.yaml');
const dashboardFile = join(packageRoot, 'deploy/grafana/scriptd.json');
const operationsFile = join(packageRoot, 'docs/OPERATIONS.md');

interface Rules {
  groups: { rules: { alert: string; expr: string; annotations: Record<string, string> }[] }[];
}

interface Panel {
  id: number;
  type: string;
  title: string;
  targets?: { expr: string }[];
}

interface Dashboard {
  panels: Panel[];
  templating: { list: { query: string }[] };
}

/** Selectors of an expression: the names of our metrics, with the labels that each asks for. */
function selectors(expression: string): { name: string; labels: string[] }[] {
  return [...expression.matchAll(/\b(scriptd_\w+)(?:\{([^}]*)\})?/g)].map(
    ([, name = '', asked]) => ({
      name,
      labels: [...(asked ?? '').matchAll(/(\w+)\s*(?:=~|!~|!=|=)/g)].map(([, label = '']) => label),
    }),
  );
}

/** Labels that a scrape adds, and those of series that come only with a failure. */
const scraped = new Set(['instance', 'job']);
const seldom: Record<string, string[]> = {
  scriptd_tasks_refused_total: ['code'],
  scriptd_task_retries_total: ['type', 'outcome', 'code'],
};

function familyOf(name: string, { types }: Exposition): string | undefined {
  if (types.get(name) === 'histogram') return undefined;
  if (types.has(name)) return name;
  const family = name.replace(/_(bucket|sum|count)$/, '');
  return types.get(family) === 'histogram' ? family : undefined;
}

/** What is wrong with an expression: metrics and labels that there are not. */
function faultsOf(expression: string, figures: Exposition): string[] {
  return selectors(expression).flatMap(({ name, labels }) => {
    if (!familyOf(name, figures)) return [`there is no ${name} to be asked for`];
    const series = figures.samples.filter((sample) => sample.name === name);
    const known = new Set([...scraped, ...(seldom[name] ?? [])]);
    for (const sample of series) for (const label of Object.keys(sample.labels)) known.add(label);
    return labels.flatMap((label) => (known.has(label) ? [] : [`${name} has no ${label}`]));
  });
}

t.test('the figures of a service that works', async (t) => {
  const service = await Service.start(t, ['--workers', 'bash=2,noop=1']);
  t.equal((await service.execute('echo hi', '?type=bash')).status, 200);
  t.equal((await service.execute('exit 3', '?type=bash')).status, 422);
  t.equal((await service.submit({ code: '', type: 'cobol' })).status, 422);
  const debugAddress = debugAddressOf(service);
  const read = async () => {
    const response = await fetch(new URL('/metrics', debugAddress));
    return readExposition(await response.text());
  };
  let figures = await read();
  await until('each worker has told of itself', async () => {
    figures = await read();
    const uptimes = figures.samples.filter(
      ({ name, labels }) => name === 'scriptd_process_uptime_seconds' && labels.part === 'worker',
    );
    const starts = { type: 'bash', pool: 'hit' };
    const cold = { type: 'bash', pool: 'miss' };
    const started =
      (figures.value('scriptd_script_starts_total', starts) ?? 0) +
      (figures.value('scriptd_script_starts_total', cold) ?? 0);
    return uptimes.length === 2 && started === 2;
  });

  t.test('tell what happened', async (t) => {
    const finished = (outcome: string) =>
      figures.value('scriptd_tasks_finished_total', { type: 'bash', outcome });
    t.equal(finished('success'), 1);
    t.equal(finished('runtime_error'), 1);
    t.equal(figures.value('scriptd_tasks_submitted_total', { type: 'bash' }), 2);
    t.equal(figures.value('scriptd_tasks_refused_total', { code: 'UNKNOWN_TYPE' }), 1);
    t.equal(figures.value('scriptd_task_waiting_seconds_count', { type: 'bash' }), 2);
    t.equal(figures.value('scriptd_task_running_seconds_count', { type: 'bash' }), 2);
    t.equal(figures.value('scriptd_slots', { type: 'bash' }), 2);
    t.equal(figures.value('scriptd_slots_busy', { type: 'bash' }), 0);
    t.equal(figures.value('scriptd_workers', { type: 'bash', state: 'connected' }), 1);
    t.equal(figures.value('scriptd_worker_info', { name: 'noop-1', level: 'none' }), 1);
    t.equal(figures.value('scriptd_workers_isolation', { type: 'noop', level: 'none' }), 1);
    t.equal(figures.value('scriptd_store_tasks', { state: 'finished' }), 2);
    t.ok(figures.value('scriptd_store_commit_seconds_count'), 'each submission is a commit');
    t.notMatch(JSON.stringify(figures.samples), /cobol/, 'what callers make up is no label');
  });

  t.test('are all that dashboard and alert rules ask for', async (t) => {
    const rules = parse(readFileSync(rulesFile, 'utf8')) as Rules;
    const alerts = rules.groups.flatMap((group) => group.rules);
    t.equal(new Set(alerts.map(({ alert }) => alert)).size, alerts.length, 'no name twice');
    for (const { alert, expr, annotations } of alerts) {
      t.same(faultsOf(expr, figures), [], alert);
      t.ok(annotations.summary && annotations.description, `${alert} says what to do`);
    }

    const dashboard = JSON.parse(readFileSync(dashboardFile, 'utf8')) as Dashboard;
    const { panels, templating } = dashboard;
    t.equal(new Set(panels.map(({ id }) => id)).size, panels.length, 'no id twice');
    for (const { type, title, targets = [] } of panels) {
      t.ok(type === 'row' || targets.length > 0, `${title} shows something`);
      for (const { expr } of targets) t.same(faultsOf(expr, figures), [], `${title}: ${expr}`);
    }
    for (const { query } of templating.list) t.same(faultsOf(query, figures), []);

    const shown = new Set(
      panels
        .flatMap(({ targets = [] }) => targets)
        .flatMap(({ expr }) => selectors(expr).map(({ name }) => familyOf(name, figures))),
    );
    const unseen = [
      'scriptd_epoll_stale_events_total',
      'scriptd_epoll_bytes_total',
      'scriptd_spans_total',
      'scriptd_worker_info',
    ];
    t.same([...figures.types.keys()].filter((name) => !shown.has(name)).sort(), unseen.sort());
    t.same(faultsOf('rate(scriptd_nonsense_total[5m])', figures).length, 1, 'a fault is found');
    t.same(faultsOf('scriptd_slots{group="a"}', figures).length, 1, 'and so is one of a label');
  });

  t.test('are each explained in OPERATIONS.md, with their labels', async (t) => {
    const operations = readFileSync(operationsFile, 'utf8');
    const table = new Map(
      [...operations.matchAll(/^\| `(scriptd_\w+)` \| (.*?) \|/gm)].map(([, name, labels = '']) => [
        name,
        [...labels.matchAll(/`(\w+)`/g)].map(([, label]) => label).sort(),
      ]),
    );
    t.same([...table.keys()].sort(), [...figures.types.keys()].sort());
    for (const { name, labels } of figures.samples) {
      const family = figures.types.has(name) ? name : name.replace(/_(bucket|sum|count)$/, '');
      const own = Object.keys(labels).filter((label) => label !== 'le');
      if (family !== name && name.endsWith('_bucket')) continue;
      t.same(table.get(family), own.sort(), `labels of ${name}`);
    }
  });
});

t.test('one snapshot of the heap at a time, and whoever leaves makes room', async (t) => {
  const service = await Service.start(t, ['--workers', 'noop=1']);
  const snapshotAt = new URL('/debug/heap/snapshot', debugAddressOf(service));
  const take = (signal?: AbortSignal) =>
    fetch(snapshotAt, { method: 'POST', ...(signal && { signal }) });
  const leaving = new AbortController();
  // Nobody reads it, so it does not end.
  const unread = await take(leaving.signal);
  t.match(
    unread.headers.get('content-disposition'),
    /^attachment; filename="[\w-]+\.heapsnapshot"$/,
  );
  const refused = await take();
  t.equal(refused.status, 429);
  t.match(await refused.json(), { code: 'OVERLOADED' });
  leaving.abort();
  await until('there is room for another', async () => {
    const { status, body } = await take();
    const reader = body?.getReader();
    const { value } = (await reader?.read()) ?? {};
    await reader?.cancel();
    return (
      status === 200 &&
      Buffer.from(value ?? '')
        .toString()
        .startsWith('{"snapshot":')
    );
  });
  t.equal((await service.execute('', '?type=noop')).status, 200);
});

t.test('promtool takes the alert rules, where it is there', async (t) => {
  const { error, status, stdout, stderr } = spawnSync('promtool', ['check', 'rules', rulesFile]);
  if (error) t.comment(`promtool is not there: ${error.message}`);
  else t.equal(status, 0, `${stdout}${stderr}`);
  t.end();
});
