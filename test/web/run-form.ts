import { readFileSync } from 'node:fs';
import type { Locator, Page } from 'playwright-core';
import type { BrowserPage } from './browser-page.js';

/** The Run page, as somebody uses it. */
export const at = '#/run';
/** Rows of an output that are drawn at most, of however many. */
export const rowsMax = 260;

/** Puts a script into the editor. */
export async function write(page: Page, code: string, runtime?: string): Promise<void> {
  if (runtime) await page.locator('.runtimes label', { hasText: runtime }).click();
  await page.locator('.cm-content').click();
  await page.keyboard.press('Control+a');
  await page.keyboard.press('Delete');
  await page.keyboard.insertText(code);
}

/** Runs what is in the editor to its end. @returns the words of its badge */
export async function run(page: Page): Promise<string> {
  await page.getByRole('button', { name: /^Run/ }).click();
  return ended(page);
}

export async function ended(page: Page): Promise<string> {
  await page.locator('.figures').waitFor();
  return page.locator('.outcome .badge').innerText();
}

export function output(page: Page, name: string): Locator {
  return page.locator('.output', { has: page.locator('h3', { hasText: name }) });
}

/** What is drawn of an output. */
export async function rowsOf(page: Page, name: string): Promise<string[]> {
  const texts = await output(page, name).locator('.row').allTextContents();
  return texts.map((text) => text.replace(/\n$/, ''));
}

/** The whole of it, as the browser saves it. */
export async function saved(page: Page, name: string): Promise<Buffer> {
  const download = page.waitForEvent('download');
  await output(page, name).getByRole('button', { name: 'Download' }).click();
  return readFileSync(await (await download).path());
}

/** Scrolls the first output. @param place an expression in which `element` is its scroller */
export async function scrollTo(page: Page, place: string): Promise<void> {
  await page.evaluate(`(() => {
    const element = document.querySelector('.output-scroller');
    element.scrollTop = ${place};
  })()`);
}

export async function taskCount({ service }: BrowserPage): Promise<number> {
  const { json } = await service.request('GET', '/v1/tasks?limit=200');
  return (json.tasks as unknown[]).length;
}
