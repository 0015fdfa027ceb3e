import { readdirSync } from 'node:fs';
import { monitorEventLoopDelay, performance } from 'node:perf_hooks';
import { type Static, Type } from 'typebox';

/** How a process of ours does. */

const closed = { additionalProperties: false } as const;
const Amount = () => Type.Number({ minimum: 0 });

export const Vitals = Type.Object(
  {
    pid: Type.Integer({ minimum: 1 }),
    uptimeSeconds: Amount(),
    cpuSeconds: Type.Object({ user: Amount(), system: Amount() }, closed),
    memoryBytes: Type.Object(
      {
        rss: Amount(),
        heapTotal: Amount(),
        heapUsed: Amount(),
        external: Amount(),
        arrayBuffers: Amount(),
      },
      closed,
    ),
    openFiles: Amount(),
    eventLoop: Type.Object(
      {
        idleSeconds: Amount(),
        activeSeconds: Amount(),
        /** How late timers came, in the last whole window of `vitalsMs`. */
        delayMs: Type.Object(
          { mean: Amount(), p50: Amount(), p99: Amount(), max: Amount() },
          closed,
        ),
      },
      closed,
    ),
    /** Its epoll set, since the process began: PollerStats. */
    poller: Type.Object(
      {
        wakeUps: Amount(),
        events: Amount(),
        staleEvents: Amount(),
        readCalls: Amount(),
        readBytes: Amount(),
        writeCalls: Amount(),
        writtenBytes: Amount(),
        openHandles: Amount(),
        batches: Amount(),
        callbacks: Amount(),
        flushCalls: Amount(),
      },
      closed,
    ),
  },
  closed,
);
export type Vitals = Static<typeof Vitals>;

/** Between two looks at the event loop; a worker tells its controller of itself as often. */
export const vitalsMs = 5_000;

/** How often the lateness of timers is measured: a part of what is measured, so it is taken off. */
const resolutionMs = 20;
const nsPerMs = 1e6;

/** Reads the vitals of this process. Close it: it measures all the time. */
export class VitalSigns {
  readonly #poller: () => Vitals['poller'];
  readonly #delay = monitorEventLoopDelay({ resolution: resolutionMs });
  readonly #window: NodeJS.Timeout;
  #delayMs: Vitals['eventLoop']['delayMs'] = { mean: 0, p50: 0, p99: 0, max: 0 };

  constructor(poller: () => Vitals['poller']) {
    this.#poller = poller;
    this.#delay.enable();
    this.#window = setInterval(() => this.#turnWindow(), vitalsMs);
    this.#window.unref();
  }

  read(): Vitals {
    const { user, system } = process.cpuUsage();
    const { idle, active } = performance.eventLoopUtilization();
    const { rss, heapTotal, heapUsed, external, arrayBuffers } = process.memoryUsage();
    return {
      pid: process.pid,
      uptimeSeconds: process.uptime(),
      cpuSeconds: { user: user / 1e6, system: system / 1e6 },
      memoryBytes: { rss, heapTotal, heapUsed, external, arrayBuffers },
      // One of them is the descriptor that reads the folder.
      openFiles: readdirSync('/proc/self/fd').length - 1,
      eventLoop: {
        idleSeconds: Math.max(0, idle / 1000),
        activeSeconds: Math.max(0, active / 1000),
        delayMs: { ...this.#delayMs },
      },
      poller: this.#poller(),
    };
  }

  close(): void {
    clearInterval(this.#window);
    this.#delay.disable();
  }

  #turnWindow(): void {
    const { mean, max } = this.#delay;
    const late = (ns: number) => (ns > 0 ? Math.max(0, ns / nsPerMs - resolutionMs) : 0);
    this.#delayMs = {
      mean: late(mean),
      p50: late(this.#delay.percentile(50)),
      p99: late(this.#delay.percentile(99)),
      max: late(max),
    };
    this.#delay.reset();
  }
}
