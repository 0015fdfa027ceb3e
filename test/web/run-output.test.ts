import type { Test } from 'tap';
import { until } from '../cli/service.js';
import { pageTest } from './browser-page.js';
import { at, ended, output, rowsMax, rowsOf, run, saved, scrollTo, write } from './run-form.js';

/** Bytes that no page holds in a string are compared as such. */
function same(t: Test, found: Buffer, wanted: Buffer, message: string): void {
  t.equal(found.length, wanted.length, `${message}: bytes`);
  t.ok(found.equals(wanted), message);
}

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
    if line % 100 == 0: time.sleep(0.2)`;
  await write(page, code, 'Python');
  await page.getByRole('button', { name: /^Run/ }).click();
  await until('much is there', async () => {
    return Number((await rowsOf(page, 'stdout')).at(-1)?.slice('line '.length)) > 900;
  });
  await scrollTo(page, '0');
  await until('its beginning is shown', async () => (await rowsOf(page, 'stdout'))[0] === 'line 0');
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
