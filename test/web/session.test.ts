import t from 'tap';
import { until } from '../cli/service.js';
import { BrowserPage, pageOptions, pageTest } from './browser-page.js';
import { at, run, write } from './run-form.js';

const ops = { name: 'ops', scopes: ['admin' as const] };
const other = { name: 'other', scopes: ['submit' as const, 'read' as const], group: 'theirs' };
const opening = { at, tokens: [ops, other], args: ['--workers', 'bash=1'] };

pageTest('tabs have one session: in, out, and as somebody else', opening, async (t, opened) => {
  const { page, service, tokens } = opened;
  const tab = await page.context().newPage();
  tab.setDefaultTimeout(60_000);
  await tab.goto(`${service.address}/#/queues`);
  // The other tab has 200 ms to answer; where it is late, it is asked again.
  await until('it has the session of the other tab', async () => {
    await tab.locator('.who, .sign-in').first().waitFor();
    if ((await tab.locator('.who', { hasText: 'ops' }).count()) === 1) return true;
    await tab.reload();
    return false;
  });

  await tab.getByRole('button', { name: 'Sign out' }).click();
  await page.getByLabel('Token').waitFor();
  await tab.getByLabel('Token').fill(tokens[1] ?? '');
  await tab.getByRole('button', { name: 'Sign in' }).click();
  await page.locator('.who', { hasText: 'other' }).waitFor();
  await page.bringToFront();
  await opened.go('#/tasks');
  await page.locator('main', { hasText: 'No tasks yet' }).waitFor();
  t.equal(await page.evaluate('localStorage.length'), 0, 'and it ends with the browser');

  await page.evaluate(`sessionStorage.setItem('scriptd-session', 'A'.repeat(43))`);
  await page.reload();
  await page.locator('.fault', { hasText: 'sign in again' }).waitFor();
  opened.forgive(/status of 401/);
  await opened.signIn(tokens[0] ?? '');
  await tab.locator('.who', { hasText: 'ops' }).waitFor();
});

pageTest('whoever signs in next sees nothing of what was run', opening, async (t, opened) => {
  const { page, tokens } = opened;
  await write(page, 'echo of ops', 'Bash');
  await page.locator('.more summary').click();
  await page.getByLabel('Environment').fill('KEY=of-ops');
  t.match(await run(page), 'success');
  await page.evaluate(`sessionStorage.setItem('scriptd-session', 'A'.repeat(43))`);
  await page.reload();
  opened.forgive(/status of 401/);
  await opened.signIn(tokens[0] ?? '');
  await page.locator('.cm-content', { hasText: 'echo of ops' }).waitFor();
  await page.locator('.output', { hasText: 'of ops' }).waitFor();

  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.getByLabel('Token').waitFor();
  const left = await page.evaluate('JSON.stringify([sessionStorage, localStorage])');
  t.notMatch(left, /of.ops|scriptd-run/);
  await opened.signIn(tokens[1] ?? '');
  await page.locator('main', { hasText: 'Nothing has been run yet' }).waitFor();
  t.notMatch(await page.locator('main').innerText(), /of.ops/);

  await page.evaluate(`sessionStorage.setItem('scriptd-session', 'A'.repeat(43))`);
  await write(page, 'echo of other');
  await page.reload();
  await opened.signIn(tokens[0] ?? '');
  await page.locator('main h1').waitFor();
  t.notMatch(await page.locator('main').innerText(), /of other/);
});

pageTest('a task that is no more keeps nothing from being run', opening, async (t, opened) => {
  const { page } = opened;
  await page.evaluate(
    `sessionStorage.setItem('scriptd-run', '01890a5d-ac96-774b-bcce-b302099a8057')`,
  );
  await page.reload();
  await page.locator('.fault', { hasText: 'there is no task' }).waitFor();
  opened.forgive(/status of 404/);
  await write(page, 'echo again', 'Bash');
  t.match(await run(page), 'success');
});

t.test('many failures of an address keep nobody from signing in', pageOptions, async (t) => {
  const opened = await BrowserPage.open(t, opening);
  const { page, service, tokens } = opened;
  await page.getByRole('button', { name: 'Sign out' }).click();
  const statuses = new Set<number>();
  for (let count = 0; count < 130; count++) {
    const { status } = await service.request('GET', '/v1/session');
    statuses.add(status);
  }
  t.same([...statuses], [401, 429]);
  await page.reload();
  await page.getByLabel('Token').fill(tokens[0] ?? '');
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.locator('.who', { hasText: 'ops' }).waitFor();
});
