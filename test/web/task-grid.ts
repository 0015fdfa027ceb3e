import type { Locator, Page } from 'playwright-core';
import { until } from '../cli/service.js';

/** A list of tasks in the page, as who sees it. */
export class TaskGrid {
  readonly page: Page;
  readonly grid: Locator;

  constructor(page: Page) {
    this.page = page;
    this.grid = page.getByRole('grid');
  }

  /** Those that are made: what is seen, and some beyond. */
  get rows(): Locator {
    return this.grid.locator('[role=row][id]');
  }

  row(id: string): Locator {
    return this.grid.locator(`[id="row-${id}"]`);
  }

  /** Ids of the rows that are made, from the top. */
  async ids(): Promise<string[]> {
    const found = await this.rows.evaluateAll((rows) => rows.map((row) => row.id));
    return found.map((id) => id.replace('row-', ''));
  }

  /** Waits until these are the rows, newest first. */
  async shows(ids: readonly string[]): Promise<void> {
    const wanted = ids.join();
    await until(`the list shows ${wanted}`, async () => (await this.ids()).join() === wanted);
  }

  /** Id of the row that the keys are at; '' while there is none. */
  async active(): Promise<string> {
    const id = await this.grid.getAttribute('aria-activedescendant');
    return id?.replace('row-', '') ?? '';
  }

  /** Waits until the keys are at a row. */
  async isAt(id: string): Promise<void> {
    await until(`the keys are at ${id}`, async () => (await this.active()) === id);
  }

  /** The place of the row that the keys are at, from 1, the names of the columns not counted. */
  async place(): Promise<number> {
    const row = this.row(await this.active());
    return Number(await row.getAttribute('aria-rowindex')) - 1;
  }

  scrollTo(px: number): Promise<void> {
    return this.grid.evaluate((grid, top) => grid.scrollTo(0, top), px);
  }
}
