import { existsSync } from 'node:fs';
import { chromium, type Page } from 'playwright-core';
import t, { type Test } from 'tap';
import { Tokens } from '../../src/http/tokens.js';
import type { OpenApi } from './contract.js';
import { startDaemon } from './daemon.js';

const executablePath = '/usr/bin/chromium';
const skip = existsSync(executablePath) ? false : `no browser at ${executablePath}`;
const token = 'a-token-of-the-tests-0123456789';

/** A page of a real browser, what it asked for, and what it complained of. */
async function openPage(t: Test): Promise<{ page: Page; asked: string[]; complaints: string[] }> {
  const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
  t.teardown(() => browser.close());
  const page = await browser.newPage();
  page.setDefaultTimeout(120_000);
  const asked: string[] = [];
  const complaints: string[] = [];
  page.on('request', (request) => asked.push(request.url()));
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) complaints.push(message.text());
  });
  return { page, asked, complaints };
}

/** The status that the page shows of the request that it was told to make. */
async function tryOut(page: Page, id: string): Promise<string> {
  const block = page.locator(`[id$="-${id}"]`);
  await block.locator('.execute').click();
  const row = block.locator('.live-responses-table .response .response-col_status');
  return (await row.first().innerText()).trim();
}

t.test(
  'a browser shows the document, asks nobody else, and may be given a token',
  {
    skip,
  },
  async (t) => {
    const daemon = await startDaemon(t, { tokens: new Tokens([token]) });
    const { paths } = (await daemon.ask({ path: '/openapi.json' })).json as unknown as OpenApi;
    const { page, asked, complaints } = await openPage(t);
    await page.goto(`${daemon.address}/docs`);
    await page.locator('.opblock').first().waitFor();
    const count = Object.values(paths).flatMap((members) => Object.keys(members)).length;
    t.equal(await page.locator('.opblock').count(), count, 'every operation is there');
    t.match(await page.title(), /scriptd/);

    const block = page.locator('[id$="-listWorkers"]');
    await block.locator('.opblock-summary-control').click();
    await block.locator('.try-out__btn').click();
    t.equal(await tryOut(page, 'listWorkers'), '401', 'without a token');
    t.same(complaints.splice(0).length, 1, 'of which the browser tells');

    await page.locator('.auth-wrapper .authorize').first().click();
    await page.locator('.modal-ux input').fill(token);
    await page.locator('.modal-ux .authorize').click();
    await page.locator('.modal-ux .btn-done').click();
    await block.locator('.btn-clear').click();
    t.equal(await tryOut(page, 'listWorkers'), '200', 'with one');

    t.same(complaints, [], 'nothing is against its policy');
    const elsewhere = asked.filter((url) => !/^data:/.test(url) && !url.startsWith(daemon.address));
    t.same(elsewhere, [], 'no request leaves the host');
  },
);
