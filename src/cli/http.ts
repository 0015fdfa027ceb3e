import type { Command } from 'commander';
import type { Config } from '../config/settings.js';
import type { Log } from '../log.js';
import { configOf } from './config.js';
import { layoutOf, prepare } from './layout.js';
import { addSettings } from './options.js';
import { type RunningPart, runPart } from './part.js';
import { transportOf, transportSettings } from './transport.js';

/** How long a request waits for a controller that is being restarted. Milliseconds. */
const controllerWaitMs = 5_000;

export function addHttpCommand(program: Command): void {
  const command = program
    .command('http')
    .description('the http daemon: takes requests and passes them to the controller');
  addSettings(command, [
    'host',
    'port',
    'debugHost',
    'debugPort',
    'controller',
    'tokenFile',
    'auth',
    'allowedHosts',
    'drainMs',
    ...transportSettings,
  ]);
  command.action(async () => {
    const config = configOf(command);
    await runPart('http', config, (log) => startHttpPart(config, log));
  });
}

async function startHttpPart(config: Config, log: Log): Promise<RunningPart> {
  // Loaded here: the other commands have no use for an HTTP server.
  const { startHttp } = await import('../http/server.js');
  const { readTokens } = await import('../http/auth.js');
  const layout = layoutOf(config);
  const wireToken = prepare(config, layout);
  const { host, port, debugHost, debugPort, tokenFile, auth, allowedHosts, drainMs } = config;
  const server = await startHttp({
    host,
    port,
    debugHost,
    debugPort,
    ...(tokenFile !== '' && { tokens: readTokens(tokenFile, log) }),
    noAuth: !auth,
    allowedHosts,
    controllerAddress: layout.controllerAddress,
    wireToken,
    transport: transportOf(config, log),
    drainMs,
    controllerWaitMs,
    log,
  });
  log.info(
    { address: server.address, debugAddress: server.debugAddress },
    'http daemon is listening',
  );
  // For `up`, which may have left the choice of the ports to the system.
  process.stdout.write(`scriptd http listening ${server.address} debug ${server.debugAddress}\n`);
  return { stop: () => server.close() };
}
