import t from 'tap';
import { until } from '../cli/service.js';
import { BrowserPage, pageOptions } from './browser-page.js';
import { storedTasks } from './stored-tasks.js';
import { TaskGrid } from './task-grid.js';

const bash = ['--workers', 'bash=1'];
const count = 100_000;

t.test(
  'among 100,000 tasks, row 20,000 is reached by keys and by scrolling',
  pageOptions,
  async (t) => {
    const { args, ids } = await storedTasks(t, count, (index) => ({
      view: { tags: [`t${index % 7}`] },
    }));
    const opened = await BrowserPage.open(t, { args: [...bash, ...args], at: '#/tasks' });
    const { page } = opened;
    const grid = new TaskGrid(page);
    const idOf = (place: number) => ids[count - place] ?? '';
    await until('the newest is there', async () => (await grid.ids())[0] === idOf(1));
    await page.keyboard.press('j');
    while ((await grid.place()) < 20_000) {
      await page.keyboard.press('End');
      await page.waitForTimeout(20);
    }
    const place = await grid.place();
    t.equal(await grid.active(), idOf(place), `row ${place} is the one that it must be`);
    t.ok((await grid.rows.count()) < 100, 'only the rows that are seen are made');
    const nodes = Number(await page.evaluate('document.querySelectorAll("*").length'));
    t.ok(nodes < 3_000, `${nodes} elements`);
    const bytes = Number(await page.evaluate('performance.memory.usedJSHeapSize'));
    t.ok(bytes < 200 * 2 ** 20, `${Math.round(bytes / 2 ** 20)} MiB`);

    await page.keyboard.press('Home');
    await grid.isAt(idOf(1));
    await grid.scrollTo(10_000 * 40);
    await until('the row is made', async () => (await grid.ids()).includes(idOf(10_001)));
    t.same(opened.complaints, []);
  },
);

t.test('what is new slides in at the top, and is held back elsewhere', pageOptions, async (t) => {
  const { args, ids } = await storedTasks(t, 1_000);
  const opened = await BrowserPage.open(t, { args: [...bash, ...args], at: '#/tasks' });
  const { page, service } = opened;
  const grid = new TaskGrid(page);
  const submit = async () =>
    String((await service.submit({ type: 'bash', code: 'echo 1' }, '?wait=60')).json.id);
  await until('the newest is there', async () => (await grid.ids())[0] === ids.at(-1));
  const first = await submit();
  await until('it slides in', async () => (await grid.ids())[0] === first);
  await grid.row(first).getByText('success').waitFor();

  await grid.scrollTo(150 * 40);
  await grid.row(ids[1_000 - 155] ?? '').waitFor();
  const seen = await grid.ids();
  const others = [await submit(), await submit()].reverse();
  await page.getByRole('button', { name: '2 new' }).waitFor();
  t.same(await grid.ids(), seen, 'no row has moved');
  await page.getByRole('button', { name: '2 new' }).click();
  await until('they are at the top', async () => {
    return (await grid.ids()).slice(0, 3).join() === [...others, first].join();
  });

  await page.getByLabel('State').selectOption('finished');
  await page.locator('.filters select.set').waitFor();
  await until('the list is filtered', async () => (await grid.ids())[0] === others[0]);
  await grid.scrollTo(5 * 40);
  const row = ids[995] ?? '';
  await grid.row(row).click();
  await page.getByRole('heading', { level: 1, name: row }).waitFor();
  await page.goBack();
  await grid.isAt(row);
  t.equal(await grid.grid.evaluate((element) => element.scrollTop), 5 * 40, 'as it was left');
  t.same(opened.complaints, []);
});

t.test('what changes far below the head is shown where it is looked at', pageOptions, async (t) => {
  const opened = await BrowserPage.open(t, { args: bash, at: '#/tasks' });
  const { page, service } = opened;
  const grid = new TaskGrid(page);
  await service.request('POST', '/v1/queues/bash/pause');
  const ids: string[] = [];
  for (let submitted = 0; submitted < 420; submitted++) {
    ids.unshift(String((await service.submit({ type: 'bash', code: 'echo 1' })).json.id));
  }
  await until('the newest is there', async () => (await grid.ids())[0] === ids[0]);
  await until('all are there', async () => {
    await page.keyboard.press('End');
    return (await page.getByText('All 420 tasks.').count()) === 1;
  });
  await grid.scrollTo(300 * 40);
  const [old = '', older = ''] = ids.slice(304, 306);
  await grid.row(old).getByText('pending').waitFor();
  await service.request('POST', `/v1/tasks/${old}/cancel`);
  await grid.row(old).getByText('cancelled', { exact: true }).waitFor();
  t.equal(await grid.row(older).getByText('pending').count(), 1);

  await page.getByLabel('State').selectOption('pending');
  await until('the list is filtered', async () => (await grid.ids())[0] === ids[0]);
  await grid.scrollTo(100 * 40);
  const [gone = '', next = ''] = ids.slice(104, 106);
  await grid.row(next).waitFor();
  const seen = await grid.ids();
  await service.request('POST', `/v1/tasks/${gone}/cancel`);
  await until('it is marked', async () =>
    /gone/.test((await grid.row(gone).getAttribute('class')) ?? ''),
  );
  t.same(await grid.ids(), seen, 'no row has moved');
  await grid.scrollTo(0);
  // The list hears of it with the next frame.
  await until('it is at its top', async () => (await grid.ids())[0] === ids[0]);
  await grid.scrollTo(100 * 40);
  await grid.row(next).waitFor();
  await until('it has left the list', async () => (await grid.row(gone).count()) === 0);
  t.same(opened.complaints, []);
});

t.test('a list that is open for days does not grow for ever', pageOptions, async (t) => {
  const opened = await BrowserPage.open(t, { args: bash, at: '#/queues' });
  const { page } = opened;
  const created = Date.parse('2026-01-01T00:00:00Z');
  const taskOf = (number: number) => ({
    ...{ id: `01890a5d-ac96-774b-bcce-${String(number).padStart(12, '0')}`, type: 'bash' },
    ...{ state: 'pending', attempt: 0, tags: [], attempts: [] },
    createdAt: new Date(created + number).toISOString(),
  });
  const [length, step, events] = [200, 150, 100];
  const event = (_: unknown, index: number) => {
    const tasks = Array.from({ length }, (_, place) => taskOf(index * step + length - place));
    const order = tasks.map(({ id }) => id);
    return `event: tasks\ndata: ${JSON.stringify({ tasks, order, next: `cursor${index}` })}\n\n`;
  };
  const body = Array.from({ length: events }, event).join('');
  const answers = [{ contentType: 'text/event-stream', body }];
  await page.route('**/v1/tasks?**', () => undefined);
  await page.route('**/v1/tasks/events**', (route) => {
    const answer = answers.pop();
    // The one connection after it stays open.
    return answer && route.fulfill(answer);
  });
  await opened.go('#/tasks');
  const grid = new TaskGrid(page);
  const newest = taskOf((events - 1) * step + length).id;
  await until('the last event has come', async () => (await grid.ids())[0] === newest);
  const foot = await page.locator('.list-foot').innerText();
  const rows = Number(/^([\d,]+) loaded/.exec(foot)?.[1]?.replaceAll(',', ''));
  t.ok(rows >= length && rows < 11_000, foot);
  t.same(opened.complaints, []);
});
