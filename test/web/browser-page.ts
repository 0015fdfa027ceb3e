import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Browser, chromium, type Page } from 'playwright-core';
import t, { type Test } from 'tap';
import type { TokenRecord } from '../../src/http/token-record.js';
import { Service } from '../cli/service.js';
import { sampleToken } from '../http/token-samples.js';

const executablePath = '/usr/bin/chromium';
const isThere = existsSync(executablePath) || process.env.SCRIPTD_TEST_ALL;
const skip = isThere ? false : `there is no ${executablePath}: apt-get install chromium`;
/** Of a test that opens a page. */
export const pageOptions = { skip, timeout: 300_000 };
/** Nothing of the page takes that long, on however busy a machine. Milliseconds. */
const patienceMs = 60_000;

export interface Opening {
  /** Further ones of `scriptd up`; without them, one worker of each runtime. */
  args?: readonly string[];
  /** Text of the configuration file. */
  config?: string;
  /** Tokens of the service; the page is signed in with the first. Without them it asks for none. */
  tokens?: readonly Partial<TokenRecord>[];
  /** Where the page begins, e.g. `#/tasks`. */
  at?: string;
  /** Pixels. */
  size?: { width: number; height: number };
  colours?: 'light' | 'dark';
}

/** The page of a service of the test's own, in a real browser. */
export class BrowserPage {
  readonly service: Service;
  readonly page: Page;
  /** Of the service, as `Opening` asked for them. */
  readonly tokens: readonly string[];
  /** What the page complained of: errors, warnings, what its policy forbade. */
  #complaints: string[] = [];

  private constructor(service: Service, page: Page, tokens: readonly string[]) {
    this.service = service;
    this.page = page;
    this.tokens = tokens;
  }

  static async open(test: Test, opening: Opening = {}): Promise<BrowserPage> {
    const { args = ['--workers', 'python=1,node=1,bash=1'], config, tokens = [], at } = opening;
    const samples = tokens.map((changes) => sampleToken(changes));
    const file = samples.length === 0 ? [] : tokenFileOf(test, samples);
    const service = await Service.start(test, [...args, ...file], config);
    const browser = await launch(test);
    const context = await browser.newContext({
      viewport: opening.size ?? { width: 1280, height: 800 },
      colorScheme: opening.colours ?? 'light',
    });
    const page = await context.newPage();
    page.setDefaultTimeout(patienceMs);
    const secrets = samples.map(({ token }) => token);
    const opened = new BrowserPage(service, page, secrets);
    await opened.#listen();
    await page.goto(`${service.address}/${at ?? ''}`);
    if (secrets[0] !== undefined) await opened.signIn(secrets[0]);
    await page.locator('main h1').waitFor();
    return opened;
  }

  async signIn(token: string): Promise<void> {
    await this.page.getByLabel('Token').fill(token);
    // The browser tells of the 401 with which the page learns that it needs one.
    this.forgive(/status of 401/);
    await this.page.getByRole('button', { name: 'Sign in' }).click();
    await this.page.locator('header.shell').waitFor();
  }

  /** Goes to another place of the page, e.g. `#/tasks`. */
  async go(hash: string): Promise<void> {
    await this.page.evaluate(`location.hash = ${JSON.stringify(hash)}`);
  }

  /** What was complained of so far and fits is as it must be: e.g. of a refusal that was tried. */
  forgive(pattern: RegExp): void {
    this.#complaints = this.#complaints.filter((text) => !pattern.test(text));
  }

  /** What is left; none of it is to be. */
  get complaints(): readonly string[] {
    return this.#complaints;
  }

  async #listen(): Promise<void> {
    const complain = (text: string) => this.#complaints.push(text);
    this.page.on('pageerror', (error) => complain(`thrown: ${String(error)}`));
    this.page.on('dialog', (dialog) => {
      complain(`a dialog: ${dialog.message()}`);
      void dialog.dismiss();
    });
    this.page.on('console', (message) => {
      if (['error', 'warning'].includes(message.type())) complain(message.text());
    });
    await this.page.addInitScript(`addEventListener('securitypolicyviolation', (event) => {
      console.error('policy violated: ' + event.violatedDirective + ' ' + event.sample);
    })`);
  }
}

/** A test of the page. Whatever it does, the page must not complain. */
export function pageTest(
  name: string,
  opening: Opening,
  body: (test: Test, opened: BrowserPage) => Promise<void>,
): void {
  t.test(name, pageOptions, async (test) => {
    const opened = await BrowserPage.open(test, opening);
    await body(test, opened);
    test.same(opened.complaints, [], 'the page complains of nothing');
  });
}

async function launch(test: Test): Promise<Browser> {
  const options = { executablePath, args: ['--no-sandbox'], timeout: patienceMs };
  const browser = await chromium.launch(options);
  test.teardown(() => browser.close());
  return browser;
}

/** @returns the arguments that name it */
function tokenFileOf(test: Test, samples: readonly { record: TokenRecord }[]): string[] {
  const folder = mkdtempSync(join(tmpdir(), 'scriptd-page-'));
  test.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, 'tokens');
  const lines = samples.map(({ record }) => `${JSON.stringify(record)}\n`);
  writeFileSync(path, lines.join(''), { mode: 0o600 });
  return ['--token-file', path];
}
