import type { Config } from '../config/settings.js';
import type { WorkerManager, WorkerPlace } from '../controller/manager.js';
import type { LocalCommand } from '../controller/managers/local.js';
import { ScriptdError } from '../errors.js';
import type { Log } from '../log.js';
import { workerLimits } from '../worker/limits.js';
import { exitCodes } from './exit-codes.js';
import type { Layout } from './layout.js';
import { NumberedPlaces } from './numbered-places.js';
import { refuseScaling, scalingRules } from './scaling.js';
import { placesOf, remotePlacesOf } from './workers.js';

export interface ManagerOptions {
  /** How a worker of this host is started. `index`: different for each that there may be. */
  command(place: WorkerPlace, index: number): LocalCommand;
  /** A worker of this host said that it can never run as configured. */
  onMisconfigured(place: WorkerPlace): void;
  log: Log;
}

/**
 * Who provides the workers: this host or a cluster, as the setting `manager` says, and beside it those
 * who stand in `remoteWorkers`.
 *
 * @throws ScriptdError BAD_CONFIG, BAD_ADDRESS
 */
export async function managerOf(
  config: Config,
  layout: Layout,
  { command, onMisconfigured, log }: ManagerOptions,
): Promise<WorkerManager> {
  const { RemoteManager } = await import('../controller/managers/remote.js');
  const { SeveralManagers } = await import('../controller/managers/several.js');
  const beside = (taken: readonly WorkerPlace[]) => {
    return new RemoteManager(remotePlacesOf(config.remoteWorkers, taken), log);
  };
  switch (config.manager) {
    case 'local': {
      const { LocalManager } = await import('../controller/managers/local.js');
      const { Scaler } = await import('../scaling/scaler.js');
      const rules = scalingRules(config);
      const places = new NumberedPlaces(rules, layout);
      const all = places.all();
      requireIds(config, all.length);
      const scaled = new Map([...rules].filter(([type]) => Object.hasOwn(config.scaling, type)));
      const local = new LocalManager({
        places: places.atStart(),
        ...(scaled.size > 0 && {
          scaling: {
            scaler: new Scaler(scaled),
            placeAt: (type, number) => places.at(type, number),
          },
        }),
        command: (place) => command(place, places.indexOf(place)),
        misconfiguredExitCode: exitCodes.config,
        onMisconfigured,
        log,
      });
      return new SeveralManagers([local, beside(all)]);
    }
    case 'none': {
      refuseScaling(config);
      const here = placesOf(config.workers, layout);
      return new SeveralManagers([new RemoteManager(here, log), beside(here)]);
    }
    case 'kubernetes': {
      const { kubernetesManager } = await import('./kubernetes.js');
      return new SeveralManagers([await kubernetesManager(config, log), beside([])]);
    }
  }
}

/** Each worker has user ids of its own; there are so many in all (Linux takes them as 32 bits). */
const lastScriptId = 2_147_483_647;

function requireIds({ firstScriptId }: Config, workers: number): void {
  if (firstScriptId + workers * workerLimits.scriptIds <= lastScriptId) return;
  const text =
    `\`scaling\` allows for ${workers} workers on this host, and from \`firstScriptId\` ` +
    `(${firstScriptId}) on there are user ids for ${Math.floor((lastScriptId - firstScriptId) / workerLimits.scriptIds)}`;
  throw new ScriptdError('BAD_CONFIG', `${text}: lower \`max\` of a type`);
}
