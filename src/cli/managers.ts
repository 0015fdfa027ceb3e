import type { Config } from '../config/settings.js';
import type { WorkerManager, WorkerPlace } from '../controller/manager.js';
import type { LocalCommand } from '../controller/managers/local.js';
import type { Log } from '../log.js';
import { exitCodes } from './exit-codes.js';
import type { Layout } from './layout.js';
import { placesOf, remotePlacesOf } from './workers.js';

export interface ManagerOptions {
  /** How a worker of this host is started. */
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
  const here = config.manager === 'kubernetes' ? [] : placesOf(config.workers, layout);
  const remote = remotePlacesOf(config.remoteWorkers, here);
  switch (config.manager) {
    case 'local': {
      const { LocalManager } = await import('../controller/managers/local.js');
      const misconfiguredExitCode = exitCodes.config;
      const started = { places: here, command, misconfiguredExitCode, onMisconfigured, log };
      return new SeveralManagers([new LocalManager(started), new RemoteManager(remote, log)]);
    }
    case 'none':
      return new RemoteManager([...here, ...remote], log);
    case 'kubernetes': {
      const { kubernetesManager } = await import('./kubernetes.js');
      const pods = await kubernetesManager(config, log);
      return new SeveralManagers([pods, new RemoteManager(remote, log)]);
    }
  }
}
