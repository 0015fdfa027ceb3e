import t from 'tap';
import { until } from '../cli/service.js';
import { BrowserPage, pageOptions } from './browser-page.js';
import { deadLetter, storedTasks } from './stored-tasks.js';
import { TaskGrid } from './task-grid.js';

const bash = ['--workers', 'bash=1'];

t.test('dead letters are told, chosen and sent again', pageOptions, async (t) => {
  const { args, ids } = await storedTasks(t, 20, (index) => (index < 4 ? deadLetter() : {}));
  const [oldest = '', second = '', third = '', newest = ''] = ids;
  const opened = await BrowserPage.open(t, { args: [...bash, ...args], at: '#/dead-letters' });
  const { page, service } = opened;
  const grid = new TaskGrid(page);
  await grid.shows([newest, third, second, oldest]);
  t.match(await grid.row(newest).innerText(), /WORKER_LOST[\s\S]*The worker was lost/);
  await page.getByRole('link', { name: /Dead letters\s*4/ }).waitFor();

  const send = page.getByRole('button', { name: /^Send again/ }).first();
  t.equal(await send.isDisabled(), true, 'none is chosen');
  await grid.row(second).getByRole('checkbox').check();
  await send.click();
  await page.getByRole('dialog').getByText('Send this task again?').waitFor();
  await page.getByRole('button', { name: 'Leave it' }).click();
  await grid.shows([newest, third, second, oldest]);
  await send.click();
  await page.getByRole('dialog').getByRole('button', { name: 'Send again' }).click();
  await page.getByText('1 sent again.').waitFor();
  await grid.shows([newest, third, oldest]);
  await until('it has run', async () => {
    const { json } = await service.request('GET', `/v1/tasks/${second}`);
    return json.outcome === 'success' && json.attempt === 2;
  });

  await page.keyboard.press('j');
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { level: 1, name: newest }).waitFor();
  await page.goBack();
  await page.getByRole('button', { name: 'Choose all 3' }).click();
  await send.click();
  await page.getByRole('dialog').getByRole('button', { name: 'Send again' }).click();
  await page.getByText('3 sent again.').waitFor();
  await page.getByText('No dead letters: nothing was given up.').waitFor();
  t.same(opened.complaints, []);
});

t.test('of many, those that can not be sent are told, and why', pageOptions, async (t) => {
  const { args, ids } = await storedTasks(t, 300, () => deadLetter());
  const opened = await BrowserPage.open(t, { args: [...bash, ...args], at: '#/dead-letters' });
  const { page, service } = opened;
  const grid = new TaskGrid(page);
  await grid.rows.first().waitFor();
  t.equal(await page.getByRole('button', { name: 'Choose all 200 loaded' }).count(), 1);
  await page.keyboard.press('End');
  await page.getByRole('button', { name: 'Choose all 300' }).click();
  await page.getByRole('button', { name: 'Send again (300)' }).click();
  // Somebody else was quicker with one: it waits behind the others, and can't be sent again.
  const other = ids[0] ?? '';
  await service.request('POST', '/v1/queues/bash/pause');
  await service.request('POST', `/v1/tasks/${other}/retry`);
  await page.getByRole('dialog').getByRole('button', { name: 'Send again' }).click();
  await page.getByText('299 sent again, 1 not.').waitFor();
  await page.getByText(/1 not sent: /).waitFor();
  t.equal(await page.getByRole('region', { name: 'Sending again' }).getByRole('link').count(), 1);
  opened.forgive(/status of 409/);
  await page.getByText('No dead letters: nothing was given up.').waitFor();
  t.same(opened.complaints, []);
});

t.test('who may only read sees them, and no way to send them', pageOptions, async (t) => {
  const { args, ids } = await storedTasks(t, 2, () => deadLetter({ group: 'mine' }));
  const tokens = [{ name: 'reader', scopes: ['read' as const], group: 'mine' }];
  const opened = await BrowserPage.open(t, {
    args: [...bash, ...args],
    tokens,
    at: '#/dead-letters',
  });
  const { page } = opened;
  const grid = new TaskGrid(page);
  await grid.shows(ids.toReversed());
  t.equal(await page.getByRole('checkbox').count(), 0);
  t.equal(await page.getByRole('button', { name: /Send|Choose/ }).count(), 0);
  await page.keyboard.press('j');
  await page.keyboard.press('r');
  t.equal(await page.getByRole('dialog').count(), 0);
  t.same(opened.complaints, []);
});
