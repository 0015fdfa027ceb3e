import { availableParallelism } from 'node:os';
import { Poller } from '../src/poll/poller.js';
import type { Bench } from './harness.js';
import { perSecond } from './load.js';
import { p50Ms, pythonPath, runPlain } from './programs.js';
import { compare } from './row.js';
import { startService } from './service.js';

/** A script over HTTP and back, one client, against starting the interpreter for it by hand. */
export const execute: Bench = {
  name: 'execute',
  what: 'GET /execute of print(1), one client, against starting the interpreter',
  async run({ smoke }) {
    const requests = smoke ? 3 : 60;
    const python = startsOf(pythonPath());
    const service = await startService({ clients: 1 });
    try {
      const row = await compare({
        name: 'execute',
        unit: 'ms p50',
        reference: "python3 -c 'print(1)'",
        bar: { atMost: 0.3 },
        rounds: smoke ? 1 : 7,
        measure: () => p50Ms(requests, () => service.execute('print(1)', '1\n')),
        measureReference: () => p50Ms(requests, () => python.once()),
      });
      return [row];
    } finally {
      python.close();
      await service.stop();
    }
  },
};

const clients = 8;

/** Eight clients, each with a script after the other, against a loop that starts interpreters. */
export const executeLoad: Bench = {
  name: 'execute-load',
  what: 'the same from eight clients, against starting interpreters on every core',
  async run({ smoke }) {
    const forMs = smoke ? 200 : 10_000;
    const python = startsOf(pythonPath());
    const service = await startService({ clients, workers: `python=${clients}` });
    try {
      const row = await compare({
        name: 'execute-load',
        unit: 'tasks/s',
        reference: "python3 -c 'print(1)' on every core",
        bar: { atLeast: 1.5 },
        // A minute for either side.
        rounds: smoke ? 1 : 6,
        measure: () => perSecond(forMs, clients, () => service.execute('print(1)', '1\n')),
        measureReference: () => perSecond(forMs, availableParallelism(), () => python.once()),
      });
      return [row];
    } finally {
      python.close();
      await service.stop();
    }
  },
};

/** What starts the interpreter as cheaply as this process can. */
function startsOf(python: string) {
  const poller = new Poller();
  return {
    async once(): Promise<void> {
      const said = await runPlain(poller, [python, '-c', 'print(1)']);
      if (said !== '1\n') throw new Error('python3 does not print 1');
    },
    close: () => poller.close(),
  };
}
