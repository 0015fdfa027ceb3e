import { readFileSync } from 'node:fs';
import { until } from '../cli/service.js';
import { pageTest } from './browser-page.js';
import { at, ended, rowsOf, run, write } from './run-form.js';

pageTest(
  'a script of each runtime is run, and its output is shown',
  { at },
  async (t, { page }) => {
    const scripts = [
      ['Python', "import sys; print('from python', sys.argv[1:])"],
      ['Node', "console.log('from node', process.argv.slice(2))"],
      ['Bash', 'echo "from bash $@"; cat; echo aside >&2'],
    ] as const;
    await page.getByLabel('Arguments', { exact: true }).fill("one 'two words'");
    await page.getByLabel('Standard input').fill('what was given');
    t.same(await page.locator('.arguments li').allInnerTexts(), ['one', 'two words']);
    for (const [label, code] of scripts) {
      await write(page, code, label);
      t.match(await run(page), 'success', label);
      const [first] = await rowsOf(page, 'stdout');
      t.match(first, `from ${label.toLowerCase()}`);
      t.match(first, 'two words');
    }
    t.match(await rowsOf(page, 'stdout'), ['from bash one two words', 'what was given']);
    t.same(await rowsOf(page, 'stderr'), ['aside']);
    t.match(await page.locator('.timeline').innerText(), /queued[\s\S]+run[\s\S]+ms/);
    t.match(await page.locator('.gauges').innerText(), /wall time\s+[\d.]+ m?s of 30\.0 s/);
    t.match(
      await page.locator('.outcome a.button').getAttribute('href'),
      /^#\/tasks\/[0-9a-f-]{36}$/,
    );
  },
);

pageTest('an exception is shown with its frames and variables', { at }, async (t, { page }) => {
  await write(page, 'def f(x):\n    return 1 / x\n\nf(0)\n', 'Python');
  await page.locator('.more summary').click();
  await page.getByLabel('Variables in exceptions').check();
  t.match(await run(page), 'runtime error');
  t.match(await page.locator('.outcome').innerText(), /EXCEPTION[\s\S]+division by zero \(line/);
  const exception = page.locator('.exception');
  t.equal(await exception.locator('h3').innerText(), 'ZeroDivisionError');
  t.equal(await exception.locator('details').count(), 2);
  const inner = exception.locator('details').last();
  t.match(await inner.innerText(), /f\s+script\.py:2[\s\S]+return 1 \/ x[\s\S]+x\s+0/);
  t.equal((await page.locator('.cm-fault-line').innerText()).trim(), 'return 1 / x');
  await exception.locator('summary').first().click();
  await exception.getByRole('button', { name: 'Show line 4' }).click();
  await page.locator('.cm-fault-line', { hasText: 'f(0)' }).waitFor();
  await page.keyboard.type('# changed');
  t.equal(await page.locator('.cm-fault-line').count(), 0, 'it is another script by now');
});

pageTest('a script is cancelled while it runs', { at }, async (t, { page }) => {
  await write(page, 'echo begun; sleep 600', 'Bash');
  await page.getByRole('button', { name: /^Run/ }).click();
  await until('it runs', async () => (await rowsOf(page, 'stdout'))[0] === 'begun');
  await page.getByRole('button', { name: 'Cancel' }).click();
  t.match(await ended(page), 'cancelled');
  t.match(await page.locator('.outcome').innerText(), /CANCELLED/);
  await write(page, 'echo again');
  t.match(await run(page), 'success', 'and another one can be run');
});

pageTest('what is wrong is said at its field', { at }, async (t, opened) => {
  const { page } = opened;
  const faultAt = (label: string) =>
    page.locator('.field', { has: page.getByLabel(label, { exact: true }) }).innerText();
  await page.getByRole('button', { name: /^Run/ }).click();
  await page.getByText('There is no script yet.').waitFor();
  await write(page, 'echo 1', 'Bash');
  await page.locator('.more summary').click();
  await page.getByLabel('Wall time').fill('30');
  await page.getByRole('button', { name: /^Run/ }).click();
  t.match(await faultAt('Wall time'), /time with its unit/);
  await page.getByLabel('Wall time').fill('100 h');
  await page.getByRole('button', { name: /^Run/ }).click();
  await until('the service says so', async () => /at most|86/.test(await faultAt('Wall time')));
  opened.forgive(/status of 4(00|22)/);
  await page.getByLabel('Wall time').fill('');
  t.match(await run(page), 'success');
});

pageTest('all of it is done with the keyboard', { at }, async (t, { page }) => {
  await page.locator('.cm-content').waitFor();
  const isInEditor = () => page.evaluate('document.activeElement.closest(".cm-editor") !== null');
  for (let tabs = 0; tabs < 40 && !(await isInEditor()); tabs += 1)
    await page.keyboard.press('Tab');
  t.ok(await isInEditor(), 'Tab leads into the editor');
  await page.keyboard.type('if True:');
  await page.keyboard.press('Enter');
  await page.keyboard.type('print(input())');
  t.equal((await page.locator('.cm-line').allInnerTexts())[1], '    print(input())', 'indented');
  await page.keyboard.press('Escape');
  await page.keyboard.press('Tab');
  t.notOk(await isInEditor(), 'Escape, then Tab leaves it');
  await page.keyboard.press('Tab');
  await page.keyboard.type('typed');
  await page.keyboard.press('Control+Enter');
  t.match(await ended(page), 'success');
  t.same(await rowsOf(page, 'stdout'), ['typed']);
});

pageTest(
  'on a narrow screen nothing is cut off',
  { at, size: { width: 360, height: 740 } },
  async (t, { page }) => {
    await write(page, `print('w' * 5000); print(1 / 0)`, 'Python');
    await page.locator('.more summary').click();
    t.match(await run(page), 'runtime error');
    const width = await page.evaluate('document.documentElement.scrollWidth');
    t.ok(Number(width) <= 360, `the page is ${width} pixels wide`);
  },
);

const submitOnly = [{ scopes: ['submit' as const] }];
pageTest(
  'who may not read is told by the answer what came of it',
  { at, tokens: submitOnly },
  async (t, { page }) => {
    await write(page, 'echo out; echo err >&2; exit 3', 'Bash');
    t.match(await run(page), 'runtime error');
    t.match(await page.locator('.outcome').innerText(), /EXIT_NONZERO\s+exit code 3/);
    t.same(await rowsOf(page, 'stdout'), ['out']);
    t.same(await rowsOf(page, 'stderr'), ['err']);
    t.equal(await page.locator('.outcome a').count(), 0, 'there is no way to what it may not see');
  },
);

pageTest('files that a script hands back are saved', { at }, async (t, { page }) => {
  await write(page, 'mkdir out; printf "\\000\\377" > out/b; echo {} > a; ln -s a c', 'Bash');
  await page.locator('.more summary').click();
  await page.getByLabel('Further members').fill('{"collect": ["a", "out/*", "c"]}');
  t.match(await run(page), 'success');
  const files = page.locator('.verdict-files li');
  await files.filter({ hasText: 'out/b' }).waitFor();
  t.match(await files.allInnerTexts(), [/a\s+3 B/, /out\/b\s+2 B/, /c\s+it is a symbolic link/]);
  const download = page.waitForEvent('download');
  await page.getByRole('button', { name: 'Download out/b' }).click();
  const file = await download;
  t.equal(file.suggestedFilename(), 'b');
  t.same(readFileSync(await file.path()), Buffer.from([0, 255]));
});

pageTest('it is said what a task waits for', { at }, async (t, { page, service }) => {
  await service.request('POST', '/v1/queues/bash/pause');
  await write(page, 'echo at last', 'Bash');
  await page.getByRole('button', { name: /^Run/ }).click();
  await page.locator('.outcome', { hasText: 'Type bash is paused' }).waitFor();
  await service.request('POST', '/v1/queues/bash/resume');
  t.match(await ended(page), 'success');
  t.same(await rowsOf(page, 'stdout'), ['at last']);
});

pageTest('of a task that is tried again the last output is shown', { at }, async (t, { page }) => {
  await write(page, 'echo once; sleep 0.2; exit 1', 'Bash');
  await page.locator('.more summary').click();
  const retry = { maxAttempts: 2, on: ['runtime_error'], baseMs: 1 };
  await page.getByLabel('Further members').fill(JSON.stringify({ retry }));
  t.match(await run(page), 'runtime error');
  t.same(await rowsOf(page, 'stdout'), ['once']);
});

pageTest(
  'who signs out leaves nothing behind',
  { at, tokens: [{ scopes: ['submit', 'read'] }, { scopes: ['submit', 'read'] }] },
  async (t, opened) => {
    const { page, tokens } = opened;
    await write(page, 'echo secret', 'Bash');
    t.match(await run(page), 'success');
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByLabel('Token').waitFor();
    await opened.signIn(tokens[1] ?? '');
    await page.locator('.cm-content').waitFor();
    t.notMatch(await page.locator('main').innerText(), 'secret');
    const kept = await page.evaluate('JSON.stringify({ ...sessionStorage, ...localStorage })');
    t.notMatch(kept, 'secret');
  },
);

pageTest('a run that is not kept any more does not hinder the next', { at }, async (t, opened) => {
  const { page } = opened;
  await page.evaluate(
    `sessionStorage.setItem('scriptd-run', '01a20cb8-5519-70f4-a634-983f0412a870')`,
  );
  await page.reload();
  await page.locator('.outcome', { hasText: "can't be told any more" }).waitFor();
  opened.forgive(/status of 404/);
  await write(page, 'echo next', 'Bash');
  t.match(await run(page), 'success');
});

pageTest('where the editor does not come, a plain field does', { at }, async (t, opened) => {
  const { page } = opened;
  // As when another version was installed meanwhile.
  await page.route('**/assets/editor-*', (route) => route.fulfill({ status: 404, body: '{}' }));
  await page.reload();
  await page.locator('.editor-hint', { hasText: 'load the page again' }).waitFor();
  opened.forgive(/status of 404/);
  await page.locator('.runtimes label', { hasText: 'Bash' }).click();
  await page.getByRole('textbox', { name: 'Script' }).fill('echo plainly');
  t.match(await run(page), 'success');
  t.same(await rowsOf(page, 'stdout'), ['plainly']);
});

pageTest('a file is saved by no deceiving name', { at }, async (t, { page }) => {
  await write(page, "touch $'a\\u202etxt.exe'", 'Bash');
  await page.locator('.more summary').click();
  await page.getByLabel('Further members').fill('{"collect": ["*.exe"]}');
  t.match(await run(page), 'success');
  const download = page.waitForEvent('download');
  await page.getByRole('button', { name: /Download a/ }).click();
  t.equal((await download).suggestedFilename(), 'a_txt.exe');
});

pageTest('an answer that breaks off keeps nothing from being run', { at }, async (t, opened) => {
  const { page } = opened;
  await page.route('**/v1/tasks', (route) => route.fulfill({ status: 202, body: '{"id":' }));
  await write(page, 'echo again', 'Bash');
  await page.getByRole('button', { name: /^Run/ }).click();
  await page.locator('.results .fault', { hasText: 'broke off' }).waitFor();
  await page.unroute('**/v1/tasks');
  t.match(await run(page), 'success');
});
