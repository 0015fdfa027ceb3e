import { readdirSync, readFileSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import t, { type Test } from 'tap';
import { packageRoot } from '../../src/native.js';
import { bearer } from '../http/token-samples.js';
import { type BrowserPage, pageTest } from './browser-page.js';

const axeSource = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'));
const web = join(packageRoot, 'dist', 'web');
/** All that the page ever loads, as it is sent. */
const sentBytesMax = 300 * 1024;
const sizes = [
  { width: 1440, height: 900 },
  { width: 360, height: 740 },
];
const colours = ['light', 'dark'] as const;

interface Place {
  name: string;
  hash: string;
  /** What shows that it is all there. */
  shown: string;
  /** What is opened on it first. */
  act?: (page: Page) => Promise<void>;
}

const press = (name: RegExp) => async (page: Page) => {
  await page.locator('main').getByRole('button', { name }).first().click();
};

function placesOf(taskId: string): Place[] {
  return [
    { name: 'run', hash: '#/run', shown: '.cm-editor' },
    { name: 'tasks', hash: '#/tasks', shown: `a[href*="${taskId}"]` },
    { name: 'a task', hash: `#/tasks/${taskId}`, shown: '.badge' },
    { name: 'queues', hash: '#/queues', shown: '.worker' },
    { name: 'a question', hash: '#/queues', shown: '.worker', act: press(/^Pause/) },
    { name: 'dead letters', hash: '#/dead-letters', shown: 'h1' },
    { name: 'schedules', hash: '#/schedules', shown: '.entry' },
    {
      name: 'schedules, opened',
      hash: '#/schedules',
      shown: '.entry',
      act: async (page) => {
        await page.getByText('Next runs and task').click();
        await page.locator('.schedule-details').waitFor();
      },
    },
    {
      name: 'a schedule that is refused',
      hash: '#/schedules?new=yes',
      shown: 'form',
      act: async (page) => {
        await press(/^Save/)(page);
        await page.locator('main .fault').waitFor();
      },
    },
    { name: 'tokens', hash: '#/tokens', shown: '.entry' },
    { name: 'a new token', hash: '#/tokens', shown: '.entry', act: press(/^New token/) },
  ];
}

interface Violation {
  id: string;
  impact: string;
  help: string;
  nodes: { target: string[]; failureSummary: string }[];
}

/** What axe finds that keeps somebody out, or makes it hard. */
async function grave(page: Page): Promise<string[]> {
  const { violations } = (await page.evaluate(
    `axe.run(document, { resultTypes: ['violations'] })`,
  )) as { violations: Violation[] };
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .flatMap(({ id, help, nodes }) =>
      nodes.map(({ target, failureSummary }) => `${id} (${help}): ${target} ${failureSummary}`),
    );
}

/** By how many pixels it can be scrolled sideways. */
async function overhang(page: Page): Promise<number> {
  const text = 'document.documentElement.scrollWidth - document.documentElement.clientWidth';
  return (await page.evaluate(text)) as number;
}

async function fill({ service, tokens }: BrowserPage): Promise<string> {
  const headers = { ...bearer(tokens[0] ?? ''), 'content-type': 'application/json' };
  const code = 'import sys\nprint("x" * 400)\nprint("y", file=sys.stderr)\nraise ValueError("no")';
  const task = { type: 'python', code, inspect: true, group: 'a-group', tags: ['one', 'two'] };
  const post = async (path: string, body: object) => {
    const answer = await service.request('POST', path, JSON.stringify(body), headers);
    if (answer.status >= 300) throw new Error(`${path}: ${answer.body}`);
    return answer;
  };
  await post('/v1/schedules', {
    id: 'a-schedule-with-a-rather-long-name-as-it-may-have-64-characters',
    cron: '0 3 * * *',
    timeZone: 'Europe/Vienna',
    task: { ...task, args: ['a', 'b'], limits: { wallMs: 1000 } },
  });
  const { json } = await post('/v1/tasks?wait=30', task);
  return String(json.id);
}

pageTest(
  'no page keeps anybody out, in light and dark, wide and narrow',
  { at: '#/tasks', tokens: [{ name: 'admin', scopes: ['admin'] }, { name: 'b'.repeat(64) }] },
  async (t, opened) => {
    const { page } = opened;
    const places = placesOf(await fill(opened));
    await page.evaluate(axeSource.toString());
    for (const size of sizes) {
      await page.setViewportSize(size);
      for (const colorScheme of colours) {
        await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
        for (const { name, hash, shown, act } of places) {
          await opened.go('#/nowhere');
          await page.getByRole('heading', { name: 'There is nothing here' }).waitFor();
          await opened.go(hash);
          await page.locator(`main ${shown}`).first().waitFor();
          await act?.(page);
          const where = `${name}, ${colorScheme}, ${size.width} wide`;
          t.same(await grave(page), [], where);
          t.equal(await page.locator('h1').count(), 1, `${where}: one title`);
          t.ok((await overhang(page)) <= 0, `${where}: nothing hangs out at the side`);
          opened.forgive(/status of 400/);
          if (name === 'a question') await page.keyboard.press('Escape');
        }
      }
    }
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByLabel('Token').waitFor();
    t.same(await grave(page), [], 'where one signs in');
  },
);

t.test('all that the page ever loads is small', async (t: Test) => {
  const assets = readdirSync(join(web, 'assets'));
  const plain = assets.filter((name) => !/\.(br|gz)$/.test(name));
  t.ok(plain.length > 0, 'there is a page: npm run build');
  for (const name of plain) {
    t.ok(assets.includes(`${name}.br`) && assets.includes(`${name}.gz`), `${name} is compressed`);
  }
  const files = [...plain.map((name) => join('assets', `${name}.br`)), 'index.html'];
  const bytes = files.reduce((sum, file) => sum + statSync(join(web, file)).size, 0);
  t.ok(bytes < sentBytesMax, `${bytes} bytes`);
});
