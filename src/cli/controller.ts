import { randomUUID } from 'node:crypto';
import type { Command } from 'commander';
import { systemClock } from '../clock.js';
import type { Config, SettingName } from '../config/settings.js';
import type { WorkerPlace } from '../controller/manager.js';
import { ScriptdError } from '../errors.js';
import type { Log } from '../log.js';
import { type Address, formatAddress, parseAddress } from '../poll/address.js';
import type { TaskStore } from '../store/port.js';
import type { Retry } from '../task.js';
import { workerLimits } from '../worker/limits.js';
import { answersAt } from './answers-at.js';
import { childCommand } from './child-command.js';
import { configFileOf, configOf } from './config.js';
import { exitCodes } from './exit-codes.js';
import { layoutOf, prepare } from './layout.js';
import { managerOf } from './managers.js';
import { addSettings } from './options.js';
import { type RunningPart, runPart } from './part.js';
import { standingText } from './standing.js';
import { joinAddress, transportOf, transportSettings } from './transport.js';
import { webhooksOf } from './webhooks.js';
import { joinableTypes } from './workers.js';

/** How long the workers get to go, once nothing runs any more. Milliseconds. */
const dismissMs = 5_000;
/** How long running scripts may go on when whoever started this part is gone. Milliseconds. */
const orphanedDrainMs = 10_000;

/** Settings of the controller that `up` takes for it. */
export const queueSettings = [
  'evaluator',
  'webhookAllow',
  'webhookSecretFile',
  'durability',
  'retentionMs',
  'retentionBytes',
  'controllerListen',
  'joinListen',
  'reconnectGraceMs',
  'otlpEndpoint',
] as const satisfies readonly SettingName[];

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
    ...queueSettings,
    ...transportSettings,
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
  const joinListen = joinAddress(config.joinListen);
  if (Object.keys(config.workers).length + config.remoteWorkers.length === 0 && !joinListen) {
    throw new ScriptdError(
      'BAD_CONFIG',
      'no workers are configured: give --workers, for example --workers python=2,node=1,bash=1, ' +
        'or remoteWorkers, or --join-listen',
    );
  }
  const { Controller } = await import('../controller/controller.js');
  const { policyFrom } = await import('../controller/policy.js');
  const { loadedEvaluator } = await import('../controller/evaluator-module.js');
  const { storeOf } = await import('./store-of.js');
  const layout = layoutOf(config);
  const address = parseAddress(layout.controllerAddress);
  await refuseSecond(address);
  const token = prepare(config, layout);
  let misconfigured: (place: WorkerPlace) => void = () => undefined;
  const ended = new Promise<WorkerPlace>((resolve) => {
    misconfigured = resolve;
  });
  const evaluator = await loadedEvaluator(config.evaluator, log);
  let taken: () => void = () => undefined;
  const storeTaken = new Promise<void>((resolve) => {
    taken = resolve;
  });
  const webhooks = webhooksOf(config, layout, log);
  const store = await storeOf(config, layout, { onTaken: taken, log });
  const manager = await managerOf(config, layout, {
    command: (place, index) => workerCommand(place, index, config, configFile),
    onMisconfigured: misconfigured,
    log,
  });
  const types = [...manager.types];
  if (joinListen) types.push(...joinableTypes(config));
  const tracing = await tracingOf(config, store, log);
  const controller = new Controller({
    listen: address,
    listenAlso: config.controllerListen.map(parseAddress),
    ...(joinListen && { joinListen }),
    transport: transportOf(config, log),
    reconnectGraceMs: config.reconnectGraceMs,
    local: { role: 'controller', id: config.name || 'controller', instance: randomUUID() },
    token,
    store,
    manager,
    policies: new Map(
      [...new Set(types)].map((type) => [type, policyFrom(config.runtimes[type], config.limits)]),
    ),
    evaluator,
    retry: retryPolicies(config),
    groups: new Map(Object.entries(config.groups)),
    tracer: tracing?.tracer,
    webhooks,
    clock: systemClock,
    log,
  });
  await controller.start();
  log.info({ address: layout.controllerAddress }, 'controller is listening');
  // For `up`, which asks it to end no sooner.
  process.stdout.write(`scriptd controller listening ${layout.controllerAddress}\n`);
  return {
    standing: () => standingText(controller.report(0)),
    ended: Promise.race([
      ended.then(async (place) => {
        log.fatal(`worker ${place.name} cannot run as configured; its own message stands above`);
        await controller.dismissWorkers(dismissMs);
        return exitCodes.config;
      }),
      storeTaken.then(() => {
        log.fatal('another controller has opened the store: this one cannot go on');
        return exitCodes.failed;
      }),
    ]),
    async stop(orphaned) {
      // Workers that are not its own go on, and what they run is theirs until the next controller.
      const goesOn = config.manager !== 'local';
      if (!goesOn || store.durability === 'memory') {
        await controller.drain(orphaned ? orphanedDrainMs : config.drainMs);
      }
      if (!goesOn) await controller.dismissWorkers(dismissMs);
      controller.close();
      await tracing?.exporter.close();
      await store.close();
    },
  };
}

/** @throws ScriptdError BAD_CONFIG */
async function tracingOf({ otlpEndpoint: endpoint }: Config, store: TaskStore, log: Log) {
  if (endpoint === '') return undefined;
  const { Exporter } = await import('../controller/tracing/exporter.js');
  const { Tracer } = await import('../controller/tracing/tracer.js');
  const exporter = new Exporter({ endpoint, log });
  return { exporter, tracer: new Tracer(exporter, store, log) };
}

/**
 * Before the store is opened, which would be taken from whoever has it.
 *
 * @throws ScriptdError EADDRINUSE
 */
async function refuseSecond(address: Address): Promise<void> {
  if (!(await answersAt(address))) return;
  const message = `${formatAddress(address)} is in use: a controller of this data directory runs already`;
  throw new ScriptdError('EADDRINUSE', message);
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
  const { dataDir, runDir, wireTokenFile, logLevel, drainMs, orphanMs, isolation } = config;
  const shared = { dataDir, runDir, wireTokenFile, logLevel, drainMs, orphanMs, isolation };
  const firstScriptId = config.firstScriptId + index * workerLimits.scriptIds;
  const values = { name, type, slots, listen: formatAddress(address), firstScriptId, ...shared };
  // No lifeline: a worker outlives a restart of its controller.
  return childCommand('worker', values, { configFile, lifeline: false });
}
