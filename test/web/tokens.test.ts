import { appendFileSync, readFileSync } from 'node:fs';
import type { TokenRecord } from '../../src/http/token-record.js';
import { until } from '../cli/service.js';
import { bearer } from '../http/token-samples.js';
import { type BrowserPage, pageTest } from './browser-page.js';

const admin: Partial<TokenRecord> = { name: 'admin', scopes: ['admin'] };
const args = ['--workers', 'bash=1'];
const opening = { args, tokens: [admin] };

async function make({ page }: BrowserPage, name: string): Promise<string> {
  await page.getByRole('navigation').getByRole('link', { name: 'Tokens' }).click();
  await page.getByRole('button', { name: 'New token' }).click();
  await page.getByLabel('Name').fill(name);
  await page.getByRole('button', { name: 'Make it' }).click();
  await page.getByText('It is shown only now').waitFor();
  return page.locator('.made-token code').innerText();
}

const entryOf = ({ page }: BrowserPage, name: string) =>
  page.locator('.entry', { has: page.getByRole('heading', { name, exact: true }) });

pageTest(
  'a token is made, shown once, signed in with, and revoked: who had it is signed out',
  opening,
  async (t, opened) => {
    const { page, service, tokens } = opened;
    const token = await make(opened, 'guest');
    t.match(token, /^scriptd_/);
    await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
    await page.getByRole('button', { name: 'Copy' }).click();
    await page.getByText('The token is copied.').waitFor();
    const entry = entryOf(opened, 'guest');
    t.match(await entry.innerText(), /submit\s*read[\s\S]*Ends\s+in 90 days/);
    t.notMatch(await entry.innerText(), token);
    await page.getByRole('button', { name: 'I have it' }).click();
    t.notMatch(await page.locator('body').innerText(), token, 'it is shown once');

    const own = entryOf(opened, 'admin');
    t.match(await own.innerText(), /yours, in use here/);
    t.equal(await own.getByRole('button').count(), 0, 'nobody saws off the branch');

    await page.getByRole('button', { name: 'Sign out' }).click();
    await opened.signIn(token);
    await page.getByRole('heading', { level: 1 }).waitFor();
    t.equal(await page.getByRole('link', { name: 'Tokens' }).count(), 0, 'it is no admin');
    const headers = bearer(tokens[0] ?? '');
    const listed = (await service.request('GET', '/v1/tokens', undefined, headers)).json;
    const { id } = (listed.tokens as { id: string; name: string }[]).find(
      ({ name }) => name === 'guest',
    ) ?? { id: '' };
    t.equal((await service.request('DELETE', `/v1/tokens/${id}`, undefined, headers)).status, 204);
    await page.getByLabel('Token').waitFor();
    opened.forgive(/status of 401/);
    t.pass('the page asks for a token again');
  },
);

pageTest('a token is revoked after asking', opening, async (t, opened) => {
  const { page, service } = opened;
  const token = await make(opened, 'short');
  const entry = entryOf(opened, 'short');
  await entry.getByRole('button', { name: 'Revoke short' }).click();
  const dialog = page.getByRole('dialog', { name: 'Revoke short?' });
  t.match(await dialog.innerText(), /refused from now on/);
  await dialog.getByRole('button', { name: 'Revoke' }).click();
  await entry.waitFor({ state: 'detached' });
  const answer = await service.request('GET', '/v1/tasks', undefined, bearer(token));
  t.equal(answer.status, 401, 'at once');
});

pageTest('what a token can not be is said at its field', opening, async (t, opened) => {
  const { page } = opened;
  await make(opened, 'twice');
  await page.getByRole('button', { name: 'New token' }).click();
  const faulty = async (label: string) => {
    await page.getByRole('button', { name: 'Make it' }).click();
    const field = page.getByLabel(label);
    await page.locator('.form-field .fault, fieldset .fault').waitFor();
    opened.forgive(/status of 4\d\d/);
    t.equal(await field.getAttribute('aria-invalid'), 'true', label);
    return page.locator('form .fault').innerText();
  };
  await page.getByLabel('Name').fill('twice');
  t.match(await faulty('Name'), /twice/);
  await page.getByLabel('Name').fill('no spaces here');
  t.match(await faulty('Name'), /name/);
  await page.getByLabel('Name').fill('fine');
  await page.getByLabel('Requests a second').fill('many');
  t.match(await faulty('Requests a second'), /perSecond/);
  await page.getByLabel('Requests a second').fill('2.5');
  await page.getByLabel('Ends').selectOption('never');
  await page.getByRole('button', { name: 'Make it' }).click();
  await page.getByText('It is shown only now').waitFor();
  t.match(await entryOf(opened, 'fine').innerText(), /2\.5\/s, 3 at once[\s\S]*Ends\s+never/);
});

pageTest(
  'tokens that end, that have ended and that stand in plain text are told apart',
  {
    args,
    tokens: [
      admin,
      { name: 'soon', expiresAt: new Date(Date.now() + 3 * 86_400_000).toISOString() },
      { name: 'over', expiresAt: '2026-02-01T00:00:00Z', group: 'ci' },
    ],
  },
  async (t, opened) => {
    const { page, service } = opened;
    appendFileSync(tokenFileOf(service.child.pid ?? 0), 'correct-horse-battery-staple\n');
    await page.getByRole('navigation').getByRole('link', { name: 'Tokens' }).click();
    t.match(await entryOf(opened, 'soon').innerText(), /Ends\s+in 3 days/);
    t.match(await entryOf(opened, 'over').innerText(), /Group\s+ci[\s\S]*Ends\s+expired/);
    await until('the service has seen that the file changed', async () => {
      await opened.go('#/queues');
      await opened.go('#/tokens');
      await page.locator('.entry').first().waitFor();
      return (await page.getByText('1 token stands in the file in plain text').count()) > 0;
    });
    t.match(await page.locator('.token-note').innerText(), /scriptd token migrate/);
  },
);

/** The path that a service was started with. */
function tokenFileOf(pid: number): string {
  const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
  return command[command.indexOf('--token-file') + 1] ?? '';
}
