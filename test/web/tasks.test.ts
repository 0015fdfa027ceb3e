import { statSync } from 'node:fs';
import type { Test } from 'tap';
import { type Service, until } from '../cli/service.js';
import { bearer } from '../http/token-samples.js';
import { Receiver } from '../webhooks/receiver.js';
import { type BrowserPage, pageTest } from './browser-page.js';
import { TaskGrid } from './task-grid.js';

const bash = ['--workers', 'bash=1'];

/** Submits a task and waits for its end. @returns its id */
async function ran(service: Service, task: object): Promise<string> {
  const { json } = await service.submit({ type: 'bash', code: 'echo 1', ...task }, '?wait=60');
  return String(json.id);
}

async function submitted(service: Service, task: object): Promise<string> {
  return String((await service.submit({ type: 'bash', code: 'echo 1', ...task })).json.id);
}

/** The query of the page's place. */
async function queryOf({ page }: BrowserPage): Promise<string> {
  return (await page.evaluate('location.hash')) as string;
}

pageTest('filters stand in the address', { args: bash, at: '#/tasks' }, async (t, opened) => {
  const { page, service } = opened;
  const grid = new TaskGrid(page);
  await page.getByText('No tasks yet').waitFor();
  const good = await ran(service, { tags: ['apple'], group: 'fruit' });
  const bad = await ran(service, { code: 'exit 3', tags: ['pear'] });
  await grid.shows([bad, good]);

  await page.getByLabel('Outcome').selectOption('success');
  await grid.shows([good]);
  t.equal(await queryOf(opened), '#/tasks?outcome=success');
  await page.getByLabel('Contains').fill('APPLE');
  await until('it is typed', async () => (await queryOf(opened)).endsWith('text=APPLE'));
  await grid.shows([good]);
  await page.getByLabel('Contains').fill('nothing has this');
  await page.getByText('No task fits these filters.').waitFor();
  await page.getByRole('button', { name: 'Clear the filters' }).click();
  await grid.shows([bad, good]);
  t.equal(await page.getByLabel('Contains').inputValue(), '');
  await page.goBack();
  await page.goBack();
  await grid.shows([bad, good]);
  t.equal(await queryOf(opened), '#/tasks', 'typed letters are no places');

  await opened.go('#/tasks?tag=pear&state=finished');
  await grid.shows([bad]);
  t.equal(await page.getByLabel('Tag').inputValue(), 'pear', 'a link brings its filters');
  await opened.go('#/tasks?group=fruit');
  await grid.shows([good]);
  await opened.go('#/tasks?type=NO');
  await page.getByText(/must be the name of a type/).waitFor();
  opened.forgive(/status of 400/);
  await page.getByRole('button', { name: 'Clear the filters' }).click();
  await grid.shows([bad, good]);
});

pageTest(
  'the keys do all that the mouse does',
  { args: bash, at: '#/tasks' },
  async (t, opened) => {
    const { page, service } = opened;
    const grid = new TaskGrid(page);
    const ids: string[] = [];
    for (let count = 0; count < 3; count++) ids.unshift(await ran(service, {}));
    const [first = '', second = '', third = ''] = ids;
    await grid.shows(ids);
    await page.keyboard.press('j');
    await grid.isAt(first);
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('j');
    await grid.isAt(third);
    await page.keyboard.press('k');
    await grid.isAt(second);
    for (const [key, id] of [
      ['Home', first],
      ['End', third],
      ['PageUp', first],
      ['PageDown', third],
    ] as const) {
      await page.keyboard.press(key);
      await grid.isAt(id);
    }
    await page.keyboard.press('/');
    await page.keyboard.type(second);
    await grid.shows([second]);
    await page.keyboard.press('Escape');
    await grid.shows(ids);

    await page.keyboard.press('k');
    await page.keyboard.press('End');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { level: 1, name: third }).waitFor();
    await page.goBack();
    await grid.isAt(third);

    await page.keyboard.press('c');
    t.equal(await page.getByRole('dialog').count(), 0, 'what has ended is not cancelled');
    await page.keyboard.press('r');
    await page.getByRole('dialog').getByText('Send this task again?').waitFor();
    await page.keyboard.press('Escape');
    // Closed it is no dialog to readers any more, a moment before the page hears of that.
    await page.locator('dialog').waitFor({ state: 'detached' });
    await page.keyboard.press('r');
    await page.getByRole('button', { name: 'Send it again' }).click();
    await grid.shows([third, first, second]);
    await grid.row(third).locator('.cell-attempt', { hasText: '2' }).waitFor();
  },
);

pageTest('a running task is watched, and cancelled', { args: bash }, async (t, opened) => {
  const { page, service } = opened;
  const code = 'echo begun; echo aside >&2; sleep 600';
  const id = await submitted(service, { code, group: 'g', args: ['a b', '--c'] });
  const waiting = await submitted(service, {});
  await opened.go(`#/tasks/${waiting}`);
  await page.getByText(/slot/).first().waitFor();
  await opened.go(`#/tasks/${id}`);
  await page.getByRole('region', { name: 'Text of stdout' }).getByText('begun').waitFor();
  await page.getByRole('region', { name: 'Text of stderr' }).getByText('aside').waitFor();
  await page.getByRole('region', { name: 'Code' }).getByText('sleep 600').waitFor();
  await page.getByText('a b', { exact: true }).waitFor();

  await page.getByRole('button', { name: 'Cancel', exact: true }).click();
  await page.getByRole('button', { name: 'Leave it' }).click();
  await page.getByRole('button', { name: 'Cancel', exact: true }).click();
  await page.getByRole('button', { name: 'Cancel the task' }).click();
  await page
    .getByText(/The task was cancelled after/)
    .first()
    .waitFor();
  t.equal(await page.locator('h1').count(), 1);
  await page.getByText('begun').first().waitFor();
  const { json } = await service.request('GET', `/v1/tasks/${id}`);
  t.equal(json.outcome, 'cancelled');

  await opened.go(`#/tasks/${waiting}`);
  await page.getByRole('region', { name: 'Text of stdout' }).getByText('1').waitFor();
  await page.getByRole('button', { name: 'Send again' }).click();
  await page.getByRole('button', { name: 'Send it again' }).click();
  await page.getByRole('row').filter({ hasText: 'success' }).nth(1).waitFor();
  await opened.go(`#/tasks/${'0'.repeat(8)}-0000-7000-8000-${'0'.repeat(12)}`);
  await page.getByRole('heading', { name: 'No such task' }).waitFor();
  opened.forgive(/status of 404/);
});

pageTest('large outputs come page by page', { args: bash }, async (t, opened) => {
  const { page, service } = opened;
  const id = await ran(service, { code: 'seq 1 150000; printf ä; echo end' });
  await opened.go(`#/tasks/${id}`);
  const text = page.getByRole('region', { name: 'Text of stdout' });
  await text.getByText('1', { exact: true }).waitFor();
  await page.getByText(/256 KiB of \d+ KiB loaded/).waitFor();
  await page.getByText('Nothing was written to stderr.').waitFor();
  await text.evaluate((element) => element.scrollTo(0, element.scrollHeight));
  const beforePx = await text.evaluate((element) => element.scrollTop);
  await page.getByRole('button', { name: 'More of stdout' }).click();
  await page.getByText(/512 KiB of \d+ KiB loaded/).waitFor();
  const px = await text.evaluate((element) => element.scrollTop);
  t.equal(px, beforePx, 'what was read stays where it is');
  const shown = await text.innerText();
  t.match(shown, /45541\s+45542\s+45543/, 'and goes on');
  await page.getByRole('button', { name: 'End of stdout' }).click();
  const end = page.getByRole('region', { name: 'Text of end of stdout' });
  await end.waitFor();
  t.equal(await page.getByText(/between are not loaded/).count(), 1);
  const more = page.getByRole('button', { name: 'More of stdout' });
  await more.click();
  await page.getByText(/768 KiB of \d+ KiB loaded/).waitFor();
  await more.click();
  await page.getByText(/150,001 lines/).waitFor();
  t.equal(await end.count(), 0, 'the end is a part of it by now');
  const saving = page.waitForEvent('download');
  await page.getByRole('button', { name: 'Download' }).first().click();
  const { size } = statSync(await (await saving).path());
  const { body } = await service.request('GET', `/v1/tasks/${id}/stdout`);
  t.equal(size, body.length, 'all of it is saved, byte for byte');
});

pageTest('what others wrote is text only', { args: bash }, async (t, opened) => {
  const { page, service } = opened;
  const evil = '<img src=x onerror="document.title=1">\u202e\u0007';
  const code = `printf '%s' "$1"; printf '\\033[2J\\033]0;x\\007' >&2; exit 3 # ${evil}`;
  const given = { code, args: [evil], tags: [evil, 'x'.repeat(128)], group: evil };
  const id = await ran(service, given);
  await opened.go('#/tasks');
  const grid = new TaskGrid(page);
  await grid.shows([id]);
  t.match(await grid.row(id).innerText(), /<img src=x onerror="document.title=1">U\+202E␇/);
  await opened.go(`#/tasks/${id}`);
  await page.getByRole('region', { name: 'Text of stdout' }).getByText(/<img/).waitFor();
  await page.getByRole('region', { name: 'Code' }).getByText(/<img/).waitFor();
  t.equal(await page.locator('main img').count(), 0);
  const text = await page.locator('main').innerText();
  const obeyed = ['\u0007', '\u001b', '\u202e'].filter((control) => text.includes(control));
  t.same(obeyed, [], 'nothing of it would be obeyed');
  await page.getByRole('link', { name: /<img/ }).first().click();
  await grid.shows([id]);
  t.match(await page.title(), /scriptd/);
});

pageTest(
  'whether a webhook was told is shown, and it is told again',
  { args: [...bash, '--webhook-allow', '127.0.0.1'] },
  async (t, opened) => {
    const { page, service } = opened;
    const receiver = await Receiver.start(t);
    const id = await ran(service, { webhook: { url: `${receiver.origin}/done` } });
    await until('it is told, and that is noted', async () => {
      const { json } = await service.request('GET', `/v1/tasks/${id}/webhooks`);
      return json.state === 'delivered';
    });
    await opened.go(`#/tasks/${id}`);
    await page.getByText('answered 200').waitFor();
    await page.getByText(receiver.origin).waitFor();
    await page.getByRole('button', { name: 'Tell it again' }).click();
    await until('it is told again', () => receiver.received.length === 2);
    await until('the page says so', async () => {
      await page.getByRole('button', { name: 'Look again' }).click();
      return (await page.getByText('told', { exact: true }).count()) === 1;
    });
    t.equal(await page.getByText('/done').count(), 0, 'the rest of its URL is not shown');
  },
);

const reader = { name: 'reader', scopes: ['read' as const] };
const boss = { name: 'boss', scopes: ['admin' as const] };

/** As `submitted`, of a service with tokens. */
async function submittedBy(token: string | undefined, service: Service, task: object) {
  const headers = { 'content-type': 'application/json', ...bearer(token ?? '') };
  const body = JSON.stringify({ type: 'bash', code: 'echo 1', ...task });
  const { json } = await service.request('POST', '/v1/tasks?wait=60', body, headers);
  return String(json.id);
}

async function mayNothing(t: Test, { page }: BrowserPage, id: string): Promise<void> {
  await page.keyboard.press('j');
  await new TaskGrid(page).isAt(id);
  await page.keyboard.press('r');
  t.equal(await page.getByRole('dialog').count(), 0);
  t.equal(await page.getByText('send again').count(), 0);
  await page.keyboard.press('Enter');
  await page.getByRole('region', { name: 'Code' }).waitFor();
  t.equal(await page.getByRole('button', { name: /Cancel|Send again/ }).count(), 0);
  t.equal(await page.getByRole('link', { name: 'Open in Run' }).count(), 0);
}

pageTest(
  'who may only read is offered nothing else',
  { args: bash, tokens: [reader, boss], at: '#/tasks' },
  async (t, opened) => {
    const id = await submittedBy(opened.tokens[1], opened.service, {});
    await new TaskGrid(opened.page).shows([id]);
    await mayNothing(t, opened, id);
  },
);

pageTest(
  'who is bound to a group sees that group only',
  { args: bash, tokens: [{ ...reader, group: 'mine' }, boss], at: '#/tasks' },
  async (t, opened) => {
    const { page, service, tokens } = opened;
    const other = await submittedBy(tokens[1], service, { group: 'theirs' });
    const mine = await submittedBy(tokens[1], service, { group: 'mine' });
    const grid = new TaskGrid(page);
    await grid.shows([mine]);
    t.equal(await page.getByLabel('Group').count(), 0, 'there is nothing to choose');
    await opened.go(`#/tasks/${other}`);
    await page.getByRole('heading', { name: 'No such task' }).waitFor();
    opened.forgive(/status of 404/);
  },
);
