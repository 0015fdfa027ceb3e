import type { Command } from 'commander';
import type { Config } from '../config/settings.js';
import { errorMessage } from '../errors.js';
import type { Log } from '../log.js';
import { takeInheritedSockets } from '../systemd/inherited-sockets.js';
import { configOf } from './config.js';
import { layoutOf, prepare } from './layout.js';
import { addSettings } from './options.js';
import { type RunningPart, runPart } from './part.js';
import { standingText } from './standing.js';
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
    'auditLog',
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
  const { followTokenFile, readTokens } = await import('../http/token-file.js');
  const { openAuditLog } = await import('../http/audit.js');
  const layout = layoutOf(config);
  const wireToken = prepare(config, layout);
  const { tokenFile, auditLog, auth, allowedHosts, drainMs } = config;
  const tokens = tokenFile === '' ? undefined : readTokens(tokenFile, log);
  const server = await startHttp({
    ...places(config),
    tokens,
    tokenFile,
    noAuth: !auth,
    allowedHosts,
    controllerAddress: layout.controllerAddress,
    wireToken,
    transport: transportOf(config, log),
    drainMs,
    controllerWaitMs,
    log,
    ...(auditLog !== '' && { auditLog: openAuditLog(auditLog, log) }),
  });
  if (tokens) followTokenFile(tokenFile, tokens, log);
  log.info(
    { address: server.address, debugAddress: server.debugAddress },
    'http daemon is listening',
  );
  // For `up`, which may have left the choice of the ports to the system.
  process.stdout.write(`scriptd http listening ${server.address} debug ${server.debugAddress}\n`);
  const standing = async () => {
    const status = await server.status().then(standingText, errorMessage);
    return `${server.address}: ${status}`;
  };
  return { standing, stop: () => server.close() };
}

/** Where it listens: at the sockets that it was started with, else as configured. */
function places({ host, port, debugHost, debugPort }: Config) {
  const { http, debug } = takeInheritedSockets(process.env, ['http', 'debug']);
  return {
    ...(http ?? { host, port }),
    ...(debug
      ? { debugHost: debug.host, debugPort: debug.port, debugFd: debug.fd }
      : { debugHost, debugPort }),
  };
}
