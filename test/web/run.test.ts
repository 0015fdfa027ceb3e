import { readFileSync } from 'node:fs';
import type { Page } from 'playwright-core';
import type { Test } from 'tap';
import { until } from '../cli/service.js';
import { type BrowserPage, pageTest } from './browser-page.js';

const at = '#/run';
/** Rows that are drawn at most, of however many. */
const rowsMax = 260;

/** Puts a script into the editor. */
async function write(page: Page, code: string, runtime?: string): Promise<void> {
  if (runtime) await page.locator('.runtimes label', { hasText: runtime }).click();
  await page.locator('.cm-content').click();
  await page.keyboard.press('Control+a');
  await page.keyboard.press('Delete');
  await page.keyboard.insertText(code);
}

/** Runs what is in the editor to its end. @returns the words of its badge */
async function run(page: Page): Promise<string> {
  await page.getByRole('button', { name: /^Run/ }).click();
  return ended(page);
}

async function ended(page: Page): Promise<string> {
  await page.locator('.figures').waitFor();
  return page.locator('.outcome .badge').innerText();
}

function output(page: Page, name: string) {
  return page.locator('.output', { has: page.locator('h3', { hasText: name }) });
}

/** What is drawn of an output. */
async function rowsOf(page: Page, name: string): Promise<string[]> {
  const texts = await output(page, name).locator('.row').allTextContents();
  return texts.map((text) => text.replace(/\n$/, ''));
}

/** The whole of it, as the browser saves it. */
async function saved(page: Page, name: string): Promise<Buffer> {
  const download = page.waitForEvent('download');
  await output(page, name).getByRole('button', { name: 'Download' }).click();
  return readFileSync(await (await download).path());
}

/** Scrolls the first output. @param place an expression in which `element` is its scroller */
async function scrollTo(page: Page, place: string): Promise<void> {
  await page.evaluate(`(() => {
    const element = document.querySelector('.output-scroller');
    element.scrollTop = ${place};
  })()`);
}

async function taskCount({ service }: BrowserPage): Promise<number> {
  const { json } = await service.request('GET', '/v1/tasks?limit=200');
  return (json.tasks as unknown[]).length;
}

/** Bytes that no page holds in a string are compared as such. */
function same(t: Test, found: Buffer, wanted: Buffer, message: string): void {
  t.equal(found.length, wanted.length, `${message}: bytes`);
  t.ok(found.equals(wanted), message);
}

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

pageTest(
  'output of a hostile script is text, and disturbs nothing',
  { at },
  async (t, { page }) => {
    const markup = '<script>alert(1)</script><img src=x onerror="alert(2)"><b>bold</b>';
    const code = [
      `text = ${JSON.stringify(markup)}`,
      'print(text)',
      `print("\\x1b[31mred\\x07 \\u202eabc\\u2066def \\u200b end\\r")`,
      'import sys; print(text, file=sys.stderr)',
      'raise ValueError(text + "\\u202e")',
    ];
    await write(page, code.join('\n'), 'Python');
    await page.locator('.more summary').click();
    await page.getByLabel('Variables in exceptions').check();
    t.match(await run(page), 'runtime error');
    const [first, second] = await rowsOf(page, 'stdout');
    t.equal(first, markup);
    t.equal(second, '␛[31mred␇ U+202EabcU+2066def U+200B end', 'controls are seen, and do nothing');
    t.equal((await rowsOf(page, 'stderr'))[0], markup);
    t.match(await page.locator('.exception-message').innerText(), `${markup}U+202E`);
    t.equal(await page.locator('.results :is(script, img, b)').count(), 0, 'none of it is markup');
    const raw = (await page.locator('.results').textContent()) ?? '';
    for (const control of ['\u001b', '\u0007', '\u202e', '\u2066', '\u200b']) {
      t.notOk(raw.includes(control), 'none is left anywhere');
    }
  },
);

pageTest('pieces that split characters are put together', { at }, async (t, { page }) => {
  const code = `import os, time
for byte in "aé€😀".encode():
    os.write(1, bytes([byte]))
    time.sleep(0.06)
os.write(1, b"\\n\\xff|\\xe2\\x82")`;
  await write(page, code, 'Python');
  t.match(await run(page), 'success');
  t.same(await rowsOf(page, 'stdout'), ['aé€😀', '\ufffd|\ufffd']);
  const bytes = Buffer.concat([Buffer.from('aé€😀\n'), Buffer.from('ff7ce282', 'hex')]);
  same(t, await saved(page, 'stdout'), bytes, 'what is saved is what the script wrote');
});

pageTest('a thousand lines a second come without a loss', { at }, async (t, { page }) => {
  const code = `import sys, time
begin = time.monotonic()
for step in range(80):
    for line in range(50):
        sys.stdout.write(f"line {step * 50 + line}\\n")
    sys.stdout.flush()
    time.sleep(max(0, begin + (step + 1) * 0.05 - time.monotonic()))`;
  await write(page, code, 'Python');
  await page.getByRole('button', { name: /^Run/ }).click();
  let most = 0;
  let looks = 0;
  while ((await page.locator('.figures').count()) === 0) {
    most = Math.max(most, await page.locator('.row').count());
    looks += 1;
  }
  t.ok(most > 0 && most < rowsMax, `${most} rows were drawn at most, in ${looks} looks`);
  t.match(await output(page, 'stdout').innerText(), /4,000 lines/);
  await until(
    'the end is shown',
    async () => (await rowsOf(page, 'stdout')).at(-1) === 'line 3999',
  );
  const lines = Array.from({ length: 4_000 }, (_, line) => `line ${line}\n`).join('');
  same(t, await saved(page, 'stdout'), Buffer.from(lines), 'every line is there');
});

pageTest('what somebody scrolled to stays where it is', { at }, async (t, { page }) => {
  const code = `import time
for line in range(3000):
    print("line", line, flush=line % 100 == 0)
    if line % 100 == 0: time.sleep(0.05)`;
  await write(page, code, 'Python');
  await page.getByRole('button', { name: /^Run/ }).click();
  await until('much is there', async () => {
    return Number((await rowsOf(page, 'stdout')).at(-1)?.slice('line '.length)) > 900;
  });
  await scrollTo(page, '0');
  t.match(await ended(page), 'success');
  t.equal((await rowsOf(page, 'stdout'))[0], 'line 0');
  await page.getByRole('button', { name: /To the end/ }).click();
  await until(
    'the end is shown',
    async () => (await rowsOf(page, 'stdout')).at(-1) === 'line 2999',
  );
});

pageTest('5 MiB of output are shown, found and saved', { at }, async (t, { page }) => {
  const code = `import sys
sys.stdout.write(''.join(f"{line:09d}\\n" for line in range(262144)))
sys.stdout.write("x" * (5 * 1024 * 1024 - 2621440 - 6) + "needle")`;
  await write(page, code, 'Python');
  await page.locator('.more summary').click();
  await page.getByLabel('Output', { exact: true }).fill('5 MiB');
  t.match(await run(page), 'success');
  const stdout = output(page, 'stdout');
  t.match(await stdout.innerText(), /262,145 lines · 5\.0 MiB/);
  for (const place of ['0', 'element.scrollHeight / 2', 'element.scrollHeight']) {
    await scrollTo(page, place);
    const rows = await page.locator('.row').count();
    t.ok(rows > 0 && rows < rowsMax, `${rows} rows are drawn at ${place}`);
  }
  await stdout.getByRole('button', { name: 'Find' }).click();
  await stdout.getByLabel('Find in stdout').fill('000131072');
  await until('it is found', async () => (await stdout.innerText()).includes('1 of 1'));
  await until('it is marked', async () => (await stdout.locator('mark.current').count()) === 1);
  await stdout.getByLabel('Find in stdout').fill('NEEDLE');
  await until('its end is marked', async () =>
    (await stdout.locator('mark.current').allInnerTexts()).join('').includes('needle'),
  );
  await stdout.getByRole('button', { name: 'Wrap' }).click();
  const { length: characters = 0 } = (await stdout.locator('.output-rows').textContent()) ?? '';
  t.ok(
    characters > 0 && characters < 400_000,
    `${characters} characters are drawn of a line of 2.5 MiB`,
  );
  const lines = Array.from({ length: 262_144 }, (_, line) => `${String(line).padStart(9, '0')}\n`);
  const whole = `${lines.join('')}${'x'.repeat(5 * 1024 * 1024 - 2621440 - 6)}needle`;
  same(t, await saved(page, 'stdout'), Buffer.from(whole), 'all of it is saved');
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
