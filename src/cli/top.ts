import { type Command, Option } from 'commander';
import type { Scriptd } from '../client/index.js';
import { ScriptdError } from '../errors.js';
import { columns as columnsOfPage, painter } from './paint.js';
import { Screen } from './screen.js';
import { addServiceOptions, clientFor, type ServiceOptions } from './service-client.js';
import { errorLine } from './service-errors.js';
import { taskColumns } from './task-columns.js';
import { type Look, look, type TopView, topLines } from './top-view.js';

interface Options extends ServiceOptions {
  interval: string;
  sort?: string;
  reverse?: true;
  once?: true;
  json?: true;
}

export function addTopCommand(program: Command): void {
  const titles = taskColumns(0).map(({ title }) => title.toLowerCase());
  const command = program
    .command('top')
    .description('queues and tasks, live: q leaves, s sorts by the next column, r turns the order')
    .addOption(new Option('--sort <column>', 'order of the tasks').choices(titles))
    .option('--reverse', 'the other way round')
    .option('--interval <seconds>', 'between two looks', '1')
    .option('--once', 'one look; so it is where stdout is no terminal')
    .option('--json', 'one look, as JSON');
  addServiceOptions(command).action(async () => {
    const options = command.opts<Options>();
    const client = clientFor(options);
    const sort = options.sort ?? 'age';
    const view: TopView = { url: client.url, sort, isReversed: options.reverse === true };
    const intervalMs = intervalOf(options.interval);
    if (options.json) {
      process.stdout.write(`${JSON.stringify(await look(client))}\n`);
    } else if (options.once || !process.stdout.isTTY) {
      const size = {
        columns: process.stdout.columns || columnsOfPage,
        rows: Number.POSITIVE_INFINITY,
      };
      const lines = topLines(await look(client), view, size, painter(process.stdout));
      process.stdout.write(`${lines.join('\n')}\n`);
    } else await live(client, view, intervalMs);
  });
}

function intervalOf(text: string): number {
  const seconds = /^\d{1,4}(\.\d{1,3})?$/.test(text) ? Number(text) : 0;
  if (seconds >= 0.1) return seconds * 1_000;
  throw new ScriptdError('BAD_OPTION', `--interval ${text}: it must be 0.1 to 9999 seconds`);
}

/** Until somebody leaves. That the service is away for a while is shown, and waited for. */
async function live(client: Scriptd, view: TopView, intervalMs: number): Promise<void> {
  // What can't be at all is said on the ordinary screen.
  let seen: Look = await look(client);
  const screen = new Screen(process.stdin, process.stdout);
  const paint = painter(process.stdout);
  const draw = () => screen.draw(topLines(seen, view, screen.size(), paint));
  screen.onKey = (key) => {
    if (key === 'q') screen.leave();
    else if (key === 's') view.sort = nextSort(view.sort);
    else if (key === 'r') view.isReversed = !view.isReversed;
    else return;
    draw();
  };
  screen.onResize = draw;
  screen.enter();
  try {
    while (!screen.isLeft) {
      draw();
      await screen.pause(intervalMs);
      if (screen.isLeft) return;
      try {
        seen = await look(client, screen.left);
        delete view.fault;
      } catch (error) {
        if (screen.isLeft) return;
        view.fault = errorLine(error).trim();
      }
    }
  } finally {
    screen.leave();
  }
}

function nextSort(sort: string): string {
  const titles = taskColumns(0).map(({ title }) => title.toLowerCase());
  return titles[(titles.indexOf(sort) + 1) % titles.length] ?? sort;
}
