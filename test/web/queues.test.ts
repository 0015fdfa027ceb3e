import type { Page } from 'playwright-core';
import type { TokenRecord } from '../../src/http/token-record.js';
import { until } from '../cli/service.js';
import { bearer } from '../http/token-samples.js';
import { type BrowserPage, pageTest } from './browser-page.js';

const admin: Partial<TokenRecord> = { name: 'admin', scopes: ['admin'] };
const reader: Partial<TokenRecord> = { name: 'reader', scopes: ['read'] };
const two = ['--workers', 'python=1,bash=2'];

/** What the service says of one type. */
async function queueOf({ service, tokens }: BrowserPage, type: string) {
  const headers = tokens[0] === undefined ? {} : bearer(tokens[0]);
  const { json } = await service.request('GET', '/v1/queues', undefined, headers);
  const queues = json.queues as { type: string; paused: boolean; ready: number }[];
  return queues.find((queue) => queue.type === type);
}

async function workersOf({ service }: BrowserPage) {
  const { json } = await service.request('GET', '/v1/workers');
  return json.workers as { id: string; type: string; pid: number; busy: number }[];
}

const card = (page: Page, type: string) => page.locator(`#queue-${type}`);

pageTest(
  'a type is paused and resumed, and a warning says what waits',
  { args: two, at: '#/queues' },
  async (t, opened) => {
    const { page, service } = opened;
    const bash = card(page, 'bash');
    await bash.getByRole('button', { name: 'Pause bash' }).click();
    const dialog = page.getByRole('dialog', { name: 'Pause bash?' });
    t.match(await dialog.innerText(), /until somebody resumes it/);
    await dialog.getByRole('button', { name: 'Leave it' }).click();
    t.equal(
      (await queueOf(opened, 'bash'))?.paused,
      false,
      'nothing is done before it is confirmed',
    );

    await bash.getByRole('button', { name: 'Pause bash' }).click();
    await dialog.getByRole('button', { name: 'Pause' }).click();
    await bash.getByText('paused', { exact: true }).waitFor();
    t.equal((await queueOf(opened, 'bash'))?.paused, true);

    await service.submit({ type: 'bash', code: 'true' });
    const warning = page.locator('.warnings li', { hasText: 'bash is paused' });
    await warning.waitFor();
    t.match(await warning.innerText(), /1 task of it is ready: resume it/);
    await page.locator('.warnings [role=status]', { hasText: 'Warnings:' }).waitFor();
    await warning.getByRole('link', { name: 'To its queue' }).click();
    await card(page, 'python').waitFor({ state: 'detached' });
    t.match(page.url(), /#\/queues\?type=bash$/, 'the link leads to where one acts');

    await bash.getByRole('button', { name: 'Resume bash' }).click();
    await warning.waitFor({ state: 'detached' });
    t.equal((await queueOf(opened, 'bash'))?.paused, false);
    await page.getByLabel('Type').selectOption('');
    await card(page, 'python').waitFor();
  },
);

pageTest(
  'a worker is drained: it goes once it has finished, and another comes',
  { args: two, at: '#/queues' },
  async (t, opened) => {
    const { page } = opened;
    const before = (await workersOf(opened)).find(({ type }) => type === 'python');
    const worker = page.locator('.worker', { hasText: 'python' });
    t.match(await worker.innerText(), /0 of 1 slot busy/);
    t.match(await worker.innerText(), /Last heard\s+(now|\d+ s ago)/);
    await worker.getByText('Isolation').click();
    await worker.locator('.layers li').first().waitFor();

    await worker.getByRole('button', { name: 'Drain' }).click();
    const dialog = page.getByRole('dialog');
    t.match(await dialog.innerText(), /takes nothing more, finishes .* another takes its place/s);
    await dialog.getByRole('button', { name: 'Drain' }).click();
    await until('another worker of the type is there', async () => {
      const now = (await workersOf(opened)).find(({ type }) => type === 'python');
      return now !== undefined && now.pid !== before?.pid;
    });
    const pid = (await workersOf(opened)).find(({ type }) => type === 'python')?.pid;
    await worker.getByText(String(pid), { exact: true }).waitFor();
  },
);

pageTest(
  'dead letters are warned of, and the warning leads to them',
  { args: two, at: '#/queues' },
  async (t, opened) => {
    const { page, service } = opened;
    const task = {
      type: 'python',
      code: 'import time; time.sleep(100)',
      retry: { maxAttempts: 1 },
    };
    await service.submit(task);
    await until('it runs', async () => (await workersOf(opened)).some(({ busy }) => busy > 0));
    const worker = (await workersOf(opened)).find(({ busy }) => busy > 0);
    if (worker) process.kill(worker.pid, 'SIGKILL');
    const warning = page.locator('.warnings li', { hasText: '1 task was given up' });
    await warning.getByRole('link', { name: 'Look at them' }).click();
    await page.getByRole('heading', { level: 1, name: 'Dead letters' }).waitFor();
    t.match(page.url(), /#\/dead-letters$/);
  },
);

/** How many points of a canvas are of about the colour that a custom property has. */
function pointsOf(page: Page, chart: string, variable: string): Promise<number> {
  return page.locator(`#queue-python ${chart} canvas`).evaluate(
    // Text, as the tests know no browser's types.
    new Function(
      'canvas',
      `const probe = document.body.appendChild(document.createElement('span'));
      probe.style.color = 'var(${variable})';
      const [red, green, blue] = getComputedStyle(probe).color.match(/\\d+/g).map(Number);
      probe.remove();
      const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
      let count = 0;
      for (let at = 0; at < data.length; at += 4) {
        const off = Math.abs(data[at] - red) + Math.abs(data[at + 1] - green);
        if (data[at + 3] > 90 && off + Math.abs(data[at + 2] - blue) < 40) count += 1;
      }
      return count;`,
    ) as (canvas: unknown) => number,
  );
}

pageTest(
  'charts show what ran, in the colours of the page, in words and as a table',
  { args: two, at: '#/queues', tokens: [admin] },
  async (t, opened) => {
    const { page, service, tokens } = opened;
    const headers = bearer(tokens[0] ?? '');
    const bodies = ['print(1)', 'raise ValueError'];
    for (const code of [...bodies, ...bodies, 'print(2)']) {
      await service.request('POST', '/execute?type=python', code, headers);
    }
    const python = card(page, 'python');
    const outcomes = python.locator('.chart', { hasText: 'Outcomes' });
    await outcomes.getByText('runtime error').first().waitFor();
    const canvas = outcomes.locator('[role=img]');
    await canvas.locator('canvas').waitFor();
    // What ran may lie in two steps, of which the second comes ten seconds later.
    await until('all of it is told', async () =>
      /3 success, 2 runtime error/.test((await canvas.getAttribute('aria-label')) ?? ''),
    );
    const last = '.chart:nth-child(4)';
    await until('the line is drawn, and the one on top of it', async () => {
      return (
        (await pointsOf(page, last, '--outcome-success')) > 4 &&
        (await pointsOf(page, last, '--outcome-runtime-error')) > 4
      );
    });

    await page.emulateMedia({ colorScheme: 'dark' });
    await until('it is drawn for the dark', async () => {
      return (await pointsOf(page, last, '--outcome-success')) > 4;
    });
    const depth = python.locator('.chart', { hasText: 'Depth' });
    await depth.getByText('In words and numbers').click();
    t.match(await depth.innerText(), /Depth of python over the last .*: now 0, highest \d+\./);
    // Browsers tell of what was opened a moment later.
    await depth.locator('tbody tr').first().waitFor();

    await depth.locator('.u-over').hover();
    const wait = python.locator('.chart', { hasText: 'Waiting time' });
    await wait
      .getByText(/^\d\d:\d\d:\d\d$/)
      .first()
      .waitFor();
    t.pass('pointing at one chart, the others tell of the same time');

    const wide = (await depth.locator('canvas').boundingBox())?.width ?? 0;
    await page.setViewportSize({ width: 360, height: 740 });
    await until('it has the width of its card', async () => {
      const width = (await depth.locator('canvas').boundingBox())?.width ?? 0;
      return width > 200 && width < 360 && width !== wide;
    });
    // The test's own reading of the canvas, that is.
    opened.forgive(/willReadFrequently/);
  },
);

pageTest(
  'a token that may only read sees everything and can do nothing',
  { args: two, at: '#/queues', tokens: [reader] },
  async (t, { page }) => {
    await card(page, 'bash').waitFor();
    await page.locator('.worker').first().waitFor();
    t.equal(await page.locator('main button').count(), 0);
  },
);
