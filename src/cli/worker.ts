import { join as joinPath } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Command } from 'commander';
import type { Config } from '../config/settings.js';
import { grantedLimits, policyFrom } from '../controller/policy.js';
import { ScriptdError } from '../errors.js';
import { closeInheritedStore } from '../inherited-store.js';
import type { Log } from '../log.js';
import type { Network } from '../task.js';
import type { Worker } from '../worker/worker.js';
import { configOf } from './config.js';
import { exitCodes } from './exit-codes.js';
import { layoutOf, prepare } from './layout.js';
import { addSettings } from './options.js';
import { announce, type RunningPart, runPart } from './part.js';
import { joinAddress, transportOf, transportSettings } from './transport.js';

/** A worker that cannot make anything ready serves all the same, after so long. Milliseconds. */
const warmMsMax = 10_000;
const warmPollMs = 20;

export function addWorkerCommand(program: Command): void {
  const command = program
    .command('worker')
    .description('a worker: executes scripts of one type for its controller');
  addSettings(command, [
    'type',
    'slots',
    'listen',
    'join',
    ...transportSettings,
    'name',
    'drainMs',
    'orphanMs',
    'isolation',
    'firstScriptId',
  ]);
  command.action(async () => {
    closeInheritedStore();
    const config = configOf(command);
    const name = config.name || `${config.type}-1`;
    await runPart(`worker ${name}`, config, (log) => startWorkerPart(name, config, log));
  });
}

async function startWorkerPart(name: string, config: Config, log: Log): Promise<RunningPart> {
  const { startWorker } = await import('../worker/worker.js');
  const join = joinAddress(config.join);
  if (join && config.listen !== '') {
    const text = 'a worker either listens or joins: leave out `listen` or `join`';
    throw new ScriptdError('BAD_CONFIG', text);
  }
  const layout = layoutOf(config);
  const wireToken = prepare(config, layout);
  const { type, slots, orphanMs, drainMs, isolation, firstScriptId } = config;
  const worker = await startWorker({
    name,
    type,
    slots,
    listen: config.listen || layout.workerAddress(name),
    ...(join && { join }),
    transport: transportOf(config, log),
    wireToken,
    ...(config.runtimes[type] && { runtime: config.runtimes[type] }),
    workDirectory: joinPath(layout.workDir, name),
    isolation,
    firstScriptId,
    demands: usualDemands(config),
    orphanMs,
    drainMs,
    log,
  });
  if (worker.isolation.level === 'none' && worker.isolation.layers.length > 0) {
    log.warn('scripts run as this user, without isolation: let in only code that you trust');
  }
  // For a controller, which need not try until it is answered.
  announce(`scriptd worker listening ${worker.address}`);
  return {
    ready: warmed(worker),
    standing: () => standingOf(type, slots, worker),
    ended: worker.closed.then((reason) => {
      log.info(`worker ${name} is done: ${reason}`);
      return exitCodes.done;
    }),
    stop: () => worker.drain(),
  };
}

/** Fulfilled when a script would start at its fastest, at the latest after `warmMsMax`. */
async function warmed(worker: Worker): Promise<void> {
  const endsAtMs = performance.now() + warmMsMax;
  while (!worker.stats().warm && performance.now() < endsAtMs) await delay(warmPollMs);
}

function standingOf(type: string, slots: number, worker: Worker): string {
  const { running, queued, unacknowledged, connections } = worker.stats();
  const controller = connections > 0 ? 'connected to' : 'waits for';
  return (
    `${type} at isolation ${worker.isolation.level}: ${running} of ${slots} slots busy, ${queued} queued, ` +
    `${unacknowledged} results not yet acknowledged; ${controller} the controller`
  );
}

/** What a task demands that asks for nothing: of POST /v1/tasks, and of /execute. */
function usualDemands({ type, runtimes, limits: shared }: Config) {
  const policy = policyFrom(runtimes[type], shared);
  const limits = grantedLimits({}, policy);
  return [...new Set<Network>(['none', policy.network])].map((network) => ({ limits, network }));
}
