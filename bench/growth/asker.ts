import { once } from 'node:events';
import { Agent, type IncomingMessage, request } from 'node:http';
import type { Service } from '../service.js';
import { median } from '../statistics.js';
import type { Panel, Samples, Series } from './growth.js';
import { Processor } from './processor.js';

/** One client that submits tasks and waits for their ends, one after the other. */
export class Asker {
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1 });
  readonly #port: number;
  readonly #processor: Processor;

  constructor(service: Service) {
    this.#port = service.port;
    this.#processor = new Processor(service);
  }

  /**
   * Runs a task so many times. What one takes on the clock, the median, from the first byte of the
   * request to the last of the answer, is a sample of `KEY`; what it costs the service in processor
   * time, the mean, one of `KEY processor`. Both in milliseconds. Throws unless all succeed.
   */
  async round(samples: Samples, key: string, work: number, times: number, task: Task) {
    const body = Buffer.from(JSON.stringify(task.body));
    const took: number[] = [];
    const beforeMs = this.#processor.ms();
    for (let time = 0; time < times; time++) {
      const startMs = performance.now();
      const answer = await this.#post(body);
      took.push(performance.now() - startMs);
      task.check?.(answer);
      if (!answer.includes('"outcome":"success"')) throw new Error(`answered: ${shown(answer)}`);
    }
    samples.add(key, work, median(took));
    samples.add(`${key} processor`, work, (this.#processor.ms() - beforeMs) / times);
  }

  /** Until the service's code is compiled: what runs for days is to be measured, not its start. */
  async warmUp(times: number, task: Task): Promise<void> {
    const body = Buffer.from(JSON.stringify(task.body));
    for (let time = 0; time < times; time++) await this.#post(body);
  }

  async #post(body: Buffer): Promise<Buffer> {
    const asked = request({
      ...{ agent: this.#agent, host: '127.0.0.1', port: this.#port },
      ...{ method: 'POST', path: '/v1/tasks?wait=30' },
      headers: { 'content-type': 'application/json', 'content-length': body.length },
    });
    asked.end(body);
    const [response] = (await once(asked, 'response')) as [IncomingMessage];
    const chunks: Buffer[] = [];
    for await (const chunk of response) chunks.push(chunk as Buffer);
    const answer = Buffer.concat(chunks);
    if (response.statusCode !== 200) throw new Error(`answered: ${shown(answer)}`);
    return answer;
  }

  close(): void {
    this.#agent.destroy();
  }
}

function shown(answer: Buffer): string {
  return answer.toString('utf8', 0, 2_000);
}

/** What is submitted, and what must be true of its answer. */
export interface Task {
  body: unknown;
  /** Throws unless the answer is right; off the clock. */
  check?: (answer: Buffer) => void;
}

/** The two panels that every plot of tasks has. */
export function taskPanels(series: readonly Series[]): Panel[] {
  return [
    {
      title: 'From the request to the result, median',
      ...{ short: 'time', unit: 'ms', kind: 'cost', series },
    },
    {
      title: "Processor time of scriptd's processes, per task",
      ...{ short: 'processor', unit: 'ms', kind: 'cost' },
      series: series.map(({ key, label }) => ({ key: `${key} processor`, label })),
    },
  ];
}
