import { readdirSync } from 'node:fs';
import {
  type EventLoopUtilization,
  type IntervalHistogram,
  monitorEventLoopDelay,
  performance,
} from 'node:perf_hooks';
import type { FastifyInstance } from 'fastify';
import type { Poller } from '../poll/poller.js';
import type { ControllerPort } from './controller-port.js';
import { healthRoute } from './health.js';

const delayResolutionMs = 10;
const nsPerMs = 1e6;

/** Routes of the debug port: what the service looks like from inside. */
export function debugRoutes(
  app: FastifyInstance,
  controller: ControllerPort,
  poller: Poller,
): void {
  const delay = monitorEventLoopDelay({ resolution: delayResolutionMs });
  delay.enable();
  app.addHook('onClose', async () => {
    delay.disable();
  });
  const since = performance.eventLoopUtilization();

  healthRoute(app);
  app.get('/debug/state', async () => {
    const { kind: _kind, requestId: _requestId, ...report } = await controller.status();
    return report;
  });
  app.get('/debug/loop', async () => ({
    process: { pid: process.pid, uptimeSeconds: process.uptime(), ...openFiles() },
    memoryBytes: process.memoryUsage(),
    eventLoop: { ...utilization(since), delayMs: delays(delay) },
    poller: poller.stats(),
  }));
}

function openFiles(): { openFiles: number } {
  // One of them is the descriptor that reads the folder.
  return { openFiles: readdirSync('/proc/self/fd').length - 1 };
}

/** Since the start of the daemon. */
function utilization(since: EventLoopUtilization) {
  const { idle, active, utilization } = performance.eventLoopUtilization(since);
  return { idleMs: idle, activeMs: active, utilization };
}

/** How late timers came; the sampling interval is part of each value. */
function delays(delay: IntervalHistogram) {
  const ms = (ns: number) => (Number.isFinite(ns) ? ns / nsPerMs : 0);
  return {
    mean: ms(delay.mean),
    p50: ms(delay.percentile(50)),
    p99: ms(delay.percentile(99)),
    max: ms(delay.max),
  };
}
