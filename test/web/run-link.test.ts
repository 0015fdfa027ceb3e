import { randomBytes } from 'node:crypto';
import { deflateRawSync } from 'node:zlib';
import { pageTest } from './browser-page.js';
import { at, ended, rowsOf, run, taskCount, write } from './run-form.js';

pageTest('a link fills in all that was shared, and runs nothing', { at }, async (t, opened) => {
  const { page } = opened;
  const code = 'echo "shared: $1 $COLOUR"\n# ⚑ <script>alert(1)</script>';
  await write(page, code, 'Bash');
  await page.getByLabel('Arguments', { exact: true }).fill("'of it'");
  await page.locator('.more summary').click();
  await page.getByLabel('Wall time').fill('2 min');
  await page.getByLabel('Environment').fill('COLOUR=green');
  await page.getByLabel('Further members').fill('{"retry": {"maxAttempts": 1}}');
  await page.getByRole('button', { name: 'Share' }).click();
  const link = await page.getByLabel('Link to this script').inputValue();
  t.ok(link.startsWith(`${opened.service.address}/#/run?s=`), link);
  t.match(await page.locator('.told').innerText(), /values of its variables/);

  const other = await page.context().newPage();
  other.setDefaultTimeout(60_000);
  await other.goto(link);
  await other.locator('.told', { hasText: 'Read it before you run it' }).waitFor();
  await other.locator('.cm-content', { hasText: 'shared' }).waitFor();
  t.equal((await other.locator('.cm-line').allInnerTexts()).join('\n'), code);
  t.equal(await other.getByLabel('Wall time').inputValue(), '2 min', 'what is folded is shown');
  t.equal(await other.getByLabel('Environment').inputValue(), 'COLOUR=green');
  t.match(await other.getByLabel('Further members').inputValue(), /maxAttempts/);
  t.notMatch(other.url(), 's=', 'a reload would not undo what is changed');
  await new Promise((resolve) => setTimeout(resolve, 500));
  t.equal(await taskCount(opened), 0, 'nothing was run');
  t.match(await run(other), 'success');
  t.same(await rowsOf(other, 'stdout'), ['shared: of it green']);

  await other.goto(`${opened.service.address}/#/run?s=!damaged`);
  await other.locator('.told', { hasText: 'This link is damaged' }).waitFor();
});

pageTest('a task is opened again with all that it was', { at }, async (t, opened) => {
  const { page, service } = opened;
  const spec = {
    ...{ code: 'print("once")', type: 'python', args: ["it's", 'b c'], stdin: 'in' },
    ...{ limits: { wallMs: 5_000 }, inspect: true, tags: ['one', 'two'] },
  };
  const { json } = await service.submit(spec, '?wait=30');
  await opened.go(`#/run?from=${String(json.id)}`);
  await page.locator('.told', { hasText: String(json.id) }).waitFor();
  await page.locator('.cm-content', { hasText: spec.code }).waitFor();
  t.equal(await page.locator('.cm-content').innerText(), spec.code);
  t.same(await page.locator('.arguments li').allInnerTexts(), spec.args);
  t.equal(await page.getByLabel('Wall time').inputValue(), '5 s');
  t.equal(await page.getByLabel('Tags').inputValue(), 'one, two');
  t.equal(await taskCount(opened), 1, 'nothing was run');
});

pageTest('a draft and its result outlive a reload', { at }, async (t, opened) => {
  const { page } = opened;
  await write(page, 'echo kept', 'Bash');
  t.match(await run(page), 'success');
  await page.getByLabel('Standard input').fill('and this');
  await page.reload();
  await page.locator('.cm-content', { hasText: 'echo kept' }).waitFor();
  t.equal(await page.getByLabel('Standard input').inputValue(), 'and this');
  t.match(await ended(page), 'success');
  t.same(await rowsOf(page, 'stdout'), ['kept']);
  t.equal(await taskCount(opened), 1, 'it was not run again');
});

pageTest('what is too large for a link is said to be', { at }, async (t, { page }) => {
  await write(page, `# ${randomBytes(60_000).toString('hex')}`, 'Bash');
  await page.getByRole('button', { name: 'Share' }).click();
  t.match(await page.locator('.told').innerText(), /would have \d+ KiB, and at most 64 KiB/);
});

const linkTo = (spec: unknown) =>
  `#/run?s=${deflateRawSync(JSON.stringify(spec)).toString('base64url')}`;

pageTest('a link of anybody is shown as it is, and harms nothing', { at }, async (t, opened) => {
  const { page } = opened;
  await write(page, 'echo mine', 'Bash');
  await opened.go(linkTo({ code: ' '.repeat(40 * 1024 * 1024) }));
  await page.locator('.told', { hasText: 'too large' }).waitFor();
  await opened.go(linkTo(['no submission']));
  await page.locator('.told', { hasText: 'damaged' }).waitFor();
  t.equal(await page.locator('.cm-content').innerText(), 'echo mine', 'the draft is still there');

  const type = '<img src=x onerror=alert(1)>\u202e';
  const odd = { env: { 'A B': '1' }, args: 'x', webhook: { url: 'https://evil.example/' } };
  await opened.go(
    linkTo({ code: 'echo theirs', type, limits: { wallMs: {}, cpuMs: 5_000 }, ...odd }),
  );
  await page.locator('.told', { hasText: 'Read it before you run it' }).waitFor();
  await page.locator('.cm-content', { hasText: 'echo theirs' }).waitFor();
  t.equal(await page.getByLabel('Processor time').inputValue(), '5 s');
  const further = JSON.parse(await page.getByLabel('Further members').inputValue()) as object;
  t.same(further, { ...odd, limits: { wallMs: {} } }, 'what has no field is seen all the same');
  t.match(
    await page.locator('.runtimes label').last().innerText(),
    '<img src=x onerror=alert(1)>U+202E',
  );
  t.match(await page.locator('.told').innerText(), /there are: env, args, webhook, limits/);
  t.equal(await taskCount(opened), 0, 'nothing was run');
  await page.getByRole('button', { name: 'Back to what was here' }).click();
  await page.locator('.cm-content', { hasText: 'echo mine' }).waitFor();

  await opened.go(linkTo({ code: 'echo 1\n'.repeat(100), type: 'bash', network: 'host' }));
  await page.locator('.told', { hasText: 'the network of the host' }).waitFor();
  await opened.go(linkTo({ code: 'echo theirs', type: 'bash', args: ['x'.repeat(1_000_000)] }));
  await page.locator('.cm-content', { hasText: 'echo theirs' }).waitFor();
  const drawn = await page.locator('.arguments').innerText();
  t.ok(drawn.length < 1_000, 'of an endless argument the beginning is drawn');
  await opened.go(linkTo({ code: 'if (a\u202a\u2068\u3164\u{e0041}) x()', type: 'node' }));
  await page.locator('.cm-specialChar').first().waitFor();
  t.equal(await page.locator('.cm-specialChar').count(), 4, 'nothing of a script is invisible');
});
