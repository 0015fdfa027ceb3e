import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import { packageRoot } from '../src/native.js';
import type { Bench } from './harness.js';
import { bound } from './row.js';
import { startService } from './service.js';
import { median } from './statistics.js';

const executablePath = '/usr/bin/chromium';
const installed = existsSync(executablePath);
const names = { paint: 'page', size: 'page size' };

/** The dashboard in a browser that has never seen it, and all that it can ever load. */
export const page: Bench = {
  name: 'page',
  what: 'the dashboard: from the address to its first paint, and its compressed size',
  async run({ smoke }) {
    const size = bound(names.size, compressedKb(), 'kB', 300);
    if (!installed) {
      return [{ name: names.paint, absent: `${executablePath}; apt-get install chromium` }, size];
    }
    const service = await startService({ clients: 1, workers: 'noop=1' });
    const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
    try {
      const times: number[] = [];
      for (let round = 0; round < (smoke ? 1 : 9); round++) {
        const context = await browser.newContext();
        const opened = await context.newPage();
        opened.setDefaultTimeout(180_000);
        await opened.goto(`http://127.0.0.1:${service.port}/`);
        // A function that waits in the page would be code of strangers, which its policy refuses.
        const paint = `performance.getEntriesByName('first-contentful-paint')[0]?.startTime`;
        let paintedMs: number | undefined;
        while (paintedMs === undefined) {
          await opened.waitForTimeout(50);
          paintedMs = await opened.evaluate<number | undefined>(paint);
        }
        times.push(paintedMs);
        await context.close();
      }
      return [bound(names.paint, median(times), 'ms p50', 1_000), size];
    } finally {
      await browser.close();
      await service.stop();
    }
  },
};

/** As browsers are sent it: everything, what is loaded later included. */
function compressedKb(): number {
  const web = join(packageRoot, 'dist', 'web');
  const assets = readdirSync(join(web, 'assets')).filter((name) => name.endsWith('.br'));
  const files = [join(web, 'index.html'), ...assets.map((name) => join(web, 'assets', name))];
  return files.reduce((sum, file) => sum + readFileSync(file).length, 0) / 1_000;
}
