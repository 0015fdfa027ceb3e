import { randomUUID } from 'node:crypto';
import type { Command } from 'commander';
import { systemClock } from '../clock.js';
import type { Config } from '../config/settings.js';
import type { WorkerPlace } from '../controller/manager.js';
import { ScriptdError } from '../errors.js';
import type { Log } from '../log.js';
import { formatAddress, parseAddress } from '../poll/address.js';
import type { Retry } from '../task.js';
import { requireLocal } from '../wire/transport.js';
import { childCommand } from './child-command.js';
import { configFileOf, configOf } from './config.js';
import { exitCodes } from './exit-codes.js';
import { kubernetesManager } from './kubernetes.js';
import { layoutOf, prepare } from './layout.js';
import { addSettings } from './options.js';
import { type RunningPart, runPart } from './part.js';
import { placesOf } from './workers.js';

/** Ids set apart for each worker: as many as it may have sandboxes, with 4,096 slots. */
const idsPerWorker = 16_384;
/** How long the workers get to go, once nothing runs any more. Milliseconds. */
const dismissMs = 5_000;
/** How long running scripts may go on when whoever started this part is gone. Milliseconds. */
const orphanedDrainMs = 10_000;

export function addControllerCommand(program: Command): void {
  const command = program
    .command('controller')
    .description('the controller: queue, timers, retries, and the workers of this host');
  addSettings(command, [
    'controller',
    'workers',
    'manager',
    'name',
    'drainMs',
    'orphanMs',
    'isolation',
    'firstScriptId',
    'evaluator',
    'durability',
    'retentionMs',
    'retentionBytes',
  ]);
  command.action(async () => {
    const config = configOf(command);
    const configFile = configFileOf(command);
    await runPart('controller', config, (log) => startController(config, configFile, log));
  });
}

async function startController(
  config: Config,
  configFile: string | undefined,
  log: Log,
): Promise<RunningPart> {
  if (Object.keys(config.workers).length === 0) {
    throw new ScriptdError(
      'BAD_CONFIG',
      'no workers are configured: give --workers, for example --workers python=2,node=1,bash=1',
    );
  }
  const { Controller } = await import('../controller/controller.js');
  const { LocalManager } = await import('../controller/managers/local.js');
  const { policyFrom } = await import('../controller/policy.js');
  const { loadedEvaluator } = await import('../controller/evaluator-module.js');
  const { storeOf } = await import('./store-of.js');
  const layout = layoutOf(config);
  const token = prepare(config, layout);
  let misconfigured: (place: WorkerPlace) => void = () => undefined;
  const ended = new Promise<WorkerPlace>((resolve) => {
    misconfigured = resolve;
  });
  const inPods = config.manager === 'kubernetes';
  const evaluator = await loadedEvaluator(config.evaluator, log);
  const store = await storeOf(config, layout, log);
  const controller = new Controller({
    listen: requireLocal(parseAddress(layout.controllerAddress)),
    local: { role: 'controller', id: config.name || 'controller', instance: randomUUID() },
    token,
    store,
    manager: inPods
      ? await kubernetesManager(config, log)
      : new LocalManager({
          places: placesOf(config.workers, layout),
          command: (place, index) => workerCommand(place, index, config, configFile),
          misconfiguredExitCode: exitCodes.config,
          onMisconfigured: misconfigured,
          log,
        }),
    policies: new Map(
      Object.keys(config.workers).map((type) => [
        type,
        policyFrom(config.runtimes[type], config.limits),
      ]),
    ),
    evaluator,
    retry: retryPolicies(config),
    groups: new Map(Object.entries(config.groups)),
    clock: systemClock,
    log,
  });
  await controller.start();
  log.info({ address: layout.controllerAddress }, 'controller is listening');
  // For `up`, which asks it to end no sooner.
  process.stdout.write(`scriptd controller listening ${layout.controllerAddress}\n`);
  return {
    ended: ended.then(async (place) => {
      log.fatal(`worker ${place.name} cannot run as configured; its own message stands above`);
      await controller.dismissWorkers(dismissMs);
      return exitCodes.config;
    }),
    async stop(orphaned) {
      // Pods go on: the next controller finds them, and all that it needs to know is in the store.
      if (!inPods || config.durability === 'memory') {
        await controller.drain(orphaned ? orphanedDrainMs : config.drainMs);
        await controller.dismissWorkers(dismissMs);
      }
      controller.close();
      await store.close();
    },
  };
}

function retryPolicies({ runtimes }: Config): Map<string, Retry> {
  return new Map(
    Object.entries(runtimes).flatMap(([type, { retry }]) =>
      retry ? [[type, retry] as const] : [],
    ),
  );
}

function workerCommand(
  place: WorkerPlace,
  index: number,
  config: Config,
  configFile: string | undefined,
) {
  const { name, type, slots, address } = place;
  const { dataDir, wireTokenFile, logLevel, drainMs, orphanMs, isolation } = config;
  const shared = { dataDir, wireTokenFile, logLevel, drainMs, orphanMs, isolation };
  const firstScriptId = config.firstScriptId + index * idsPerWorker;
  const values = { name, type, slots, listen: formatAddress(address), firstScriptId, ...shared };
  // No lifeline: a worker outlives a restart of its controller.
  return childCommand('worker', values, { configFile, lifeline: false });
}
