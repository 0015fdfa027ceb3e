import type { TokenRecord } from '../../src/http/token-record.js';
import { until } from '../cli/service.js';
import { bearer } from '../http/token-samples.js';
import { Receiver, signature } from '../webhooks/receiver.js';
import { type BrowserPage, pageTest } from './browser-page.js';

const admin: Partial<TokenRecord> = { name: 'admin', scopes: ['admin'] };
const reader: Partial<TokenRecord> = { name: 'reader', scopes: ['read'] };
const args = ['--workers', 'bash=1'];
const json = { 'content-type': 'application/json' };

async function scheduleOf({ service }: BrowserPage, id: string): Promise<Record<string, unknown>> {
  return (await service.request('GET', `/v1/schedules/${id}`)).json;
}

pageTest(
  'a schedule is made, run, switched off, changed and deleted',
  { args, at: '#/schedules' },
  async (t, opened) => {
    const { page } = opened;
    await page.getByText('No schedules yet').waitFor();
    await page.getByRole('link', { name: 'New schedule' }).click();
    await page.getByLabel('Id').fill('nightly');
    await page.getByLabel('Cron').fill('0 3 * * *');
    await page.getByLabel('Time zone').fill('Europe/Vienna');
    await page.getByLabel('Missed runs').selectOption('once');
    await page.getByLabel('Type').fill('bash');
    await page.getByLabel('Code').fill('echo "$1"');
    await page.getByLabel('Arguments').fill('to be said');
    await page.getByText('Limits', { exact: true }).click();
    await page.getByLabel('Real time, ms').fill('9000');
    await page.getByRole('button', { name: 'Save' }).click();
    const entry = page.locator('.entry', { hasText: 'nightly' });
    await entry.waitFor();
    t.match(await scheduleOf(opened, 'nightly'), {
      cron: '0 3 * * *',
      timeZone: 'Europe/Vienna',
      missed: 'once',
      enabled: true,
      task: { type: 'bash', code: 'echo "$1"', args: ['to be said'], limits: { wallMs: 9000 } },
    });
    t.match(await entry.innerText(), /Next run\s+in \d+ (h|min|s).*\n?.*03:00:00 Europe\/Vienna/);
    await entry.getByText('Next runs and task').click();
    await entry.locator('ol li').nth(4).waitFor();
    t.equal(await entry.locator('ol li').count(), 5, 'the next five runs');

    await entry.getByRole('button', { name: 'Run now' }).click();
    await entry.getByRole('link', { name: 'the task', exact: true }).click();
    await page.getByRole('heading', { level: 1 }).waitFor();
    const id = /#\/tasks\/(.+)$/.exec(page.url())?.[1] ?? '';
    await until('it ran', async () => {
      const { json: task } = await opened.service.request('GET', `/v1/tasks/${id}`);
      return task.stdout === 'to be said\n';
    });
    await opened.go('#/schedules');

    await entry.getByRole('button', { name: 'Disable' }).click();
    await entry.getByText('none while it is disabled').waitFor();
    t.match(await scheduleOf(opened, 'nightly'), {
      enabled: false,
      task: { args: ['to be said'], limits: { wallMs: 9000 } },
    });

    await entry.getByRole('link', { name: 'Edit' }).click();
    t.equal(await page.getByLabel('Id').inputValue(), 'nightly');
    t.equal(await page.getByLabel('Real time, ms').inputValue(), '9000');
    await page.getByLabel('Cron').fill('*/5 * * * *');
    await page.getByLabel('Enabled').check();
    await page.getByRole('button', { name: 'Save' }).click();
    await entry.getByText('*/5 * * * *').waitFor();

    await entry.getByRole('button', { name: 'Delete' }).click();
    const dialog = page.getByRole('dialog', { name: 'Delete nightly?' });
    await dialog.getByRole('button', { name: 'Delete' }).click();
    await entry.waitFor({ state: 'detached' });
    t.equal((await scheduleOf(opened, 'nightly')).code, 'UNKNOWN_SCHEDULE');
  },
);

pageTest(
  'what the service refuses stands at its field, in its words',
  { args, at: '#/schedules?new=yes' },
  async (t, opened) => {
    const { page, service } = opened;
    const task = { type: 'bash', code: 'true' };
    const body = JSON.stringify({ id: 'taken', cron: '@daily', task });
    await service.request('POST', '/v1/schedules', body, json);
    const save = async (status: number) => {
      await page.getByRole('button', { name: 'Save' }).click();
      const invalid = page.locator('[aria-invalid=true]');
      await invalid.waitFor();
      opened.forgive(new RegExp(`status of ${status}`));
      const describedBy = (await invalid.getAttribute('aria-describedby')) ?? '';
      const fault = describedBy.split(' ').at(-1) ?? '';
      const isFocused = 'document.activeElement?.ariaInvalid === "true"';
      await until('it leads there', async () => (await invalid.evaluate(isFocused)) === true);
      return page.locator(`[id="${fault}"]`).innerText();
    };
    await page.getByLabel('Id').fill('taken');
    await page.getByLabel('Code').fill('true');
    await page.getByLabel('Type').fill('bash');
    await page.getByLabel('Cron').fill('0 25 * * *');
    t.match(await save(400), /`cron` is not valid: .*hour/);
    await page.getByLabel('Cron').fill('0 5 * * *');
    await page.getByLabel('Time zone').fill('Europe/Atlantis');
    t.match(await save(400), /Europe\/Atlantis/);
    await page.getByLabel('Time zone').fill('UTC');
    await page.getByText('Limits', { exact: true }).click();
    await page.getByLabel('Real time, ms').fill('soon');
    t.match(await save(400), /limits\.wallMs/);
    await page.getByLabel('Real time, ms').fill('');
    t.match(await save(409), /there is a schedule taken already/);
    await page.getByLabel('Id').fill('free');
    await page.getByRole('button', { name: 'Save' }).click();
    await page.locator('.entry', { hasText: 'free' }).waitFor();
  },
);

pageTest(
  'what the form does not show of a task stays as it is',
  { args, at: '#/schedules' },
  async (t, opened) => {
    const { page, service } = opened;
    const task = { type: 'bash', code: 'true', env: { A: 'b' }, tags: ['kept'], stdin: 'x' };
    const body = JSON.stringify({ id: 'full', cron: '@daily', task });
    await service.request('POST', '/v1/schedules', body, json);
    await opened.go('#/schedules?edit=full');
    await page.getByText(/The task also has .*env/).waitFor();
    await page.getByLabel('Code').fill('false');
    await page.getByRole('button', { name: 'Save' }).click();
    await page.locator('.entry', { hasText: 'full' }).waitFor();
    t.match(await scheduleOf(opened, 'full'), { task: { ...task, code: 'false' } });
  },
);

pageTest(
  'a schedule is enabled and disabled at once, and keeps the secret of its webhook',
  { args: [...args, '--webhook-allow', '127.0.0.1'] },
  async (t, opened) => {
    const { page, service } = opened;
    const receiver = await Receiver.start(t);
    const key = Buffer.alloc(32, 7);
    const webhook = { url: receiver.origin, secret: `whsec_${key.toString('base64')}` };
    const task = { type: 'bash', code: 'true', webhook };
    const body = JSON.stringify({ id: 'signed', cron: '@yearly', task });
    await service.request('POST', '/v1/schedules', body, json);
    await opened.go('#/schedules');
    const entry = page.locator('.entry', { hasText: 'signed' });
    await entry.getByRole('button', { name: 'Disable' }).click();
    await page.getByText('signed is disabled: it submits nothing.').waitFor();
    t.match(await scheduleOf(opened, 'signed'), { enabled: false });
    await entry.getByRole('button', { name: 'Enable' }).click();
    await page.getByText('signed is enabled.').waitFor();
    t.match(await scheduleOf(opened, 'signed'), { enabled: true });
    await entry.getByRole('button', { name: 'Run now' }).click();
    await until('the receiver has it', () => receiver.received.length === 1);
    const { headers = {}, body: told = '' } = receiver.received[0] ?? {};
    t.equal(headers['webhook-signature'], signature(headers, told, key));
  },
);

pageTest(
  'a token that may only read sees schedules and can do nothing with them',
  { args, tokens: [reader, admin] },
  async (t, { page, service, tokens }) => {
    const body = JSON.stringify({ id: 'seen', cron: '@daily', task: { code: '1', type: 'bash' } });
    const headers = { ...json, ...bearer(tokens[1] ?? '') };
    await service.request('POST', '/v1/schedules', body, headers);
    await page.getByRole('navigation').getByRole('link', { name: 'Schedules' }).click();
    await page.locator('.entry', { hasText: 'seen' }).waitFor();
    t.equal(await page.locator('main button, main .button').count(), 0);
    await page.evaluate(`location.hash = '#/schedules?new=yes'`);
    await page.locator('.entry', { hasText: 'seen' }).waitFor();
    t.equal(await page.locator('main form').count(), 0, 'nor by the address');
  },
);
