import { join } from 'node:path';
import type { FastifyInstance } from 'fastify';
import { errorCode, errorMessage, ScriptdError } from '../errors.js';
import type { Log } from '../log.js';
import { packageRoot } from '../native.js';
import { parseAddress } from '../poll/address.js';
import { Poller } from '../poll/poller.js';
import { VitalSigns } from '../vitals.js';
import type { WireToken } from '../wire/token.js';
import { Transport } from '../wire/transport.js';
import { createApp } from './app.js';
import { Audit } from './audit.js';
import { batchRoutes } from './batch.js';
import { BodyRoom } from './body-room.js';
import { Checks } from './checks.js';
import { ConfinedController } from './confined.js';
import { Connections } from './connections.js';
import { ControllerLink } from './controller-link.js';
import type { ControllerPort, Report } from './controller-port.js';
import { debugRoutes } from './debug.js';
import { EventStreams } from './event-streams.js';
import { eventRoutes } from './events.js';
import { executeRoutes } from './execute.js';
import { type Access, Guard, requireGuardedAddress } from './guard.js';
import { healthRoute, readyRoute } from './health.js';
import { httpLimits } from './limits.js';
import { listEventRoutes } from './list-events.js';
import { Measurements } from './measurements.js';
import { openApiRoutes } from './openapi/routes.js';
import { overviewRoutes } from './overview.js';
import { pageRoutes } from './page.js';
import { readPage } from './page-files.js';
import { queueRoutes } from './queues.js';
import { RequestFigures } from './request-figures.js';
import { scheduleRoutes } from './schedules.js';
import { sessionRoutes } from './sessions.js';
import { outputRoutes } from './task-outputs.js';
import { specRoutes } from './task-specs.js';
import { taskRoutes } from './tasks.js';
import { TokenBook } from './token-book.js';
import { tokenRoutes } from './token-routes.js';
import { UnsentAnswers } from './unsent.js';
import { webhookRoutes } from './webhooks.js';
import { workerRoutes } from './workers.js';

export interface HttpOptions extends Access {
  /** `localhost` listens on 127.0.0.1. */
  host: string;
  /** 0 takes a free one. */
  port: number;
  debugHost: string;
  debugPort: number;
  /** Listening sockets that somebody else opened there; host and port are then theirs. */
  fd?: number | undefined;
  debugFd?: number | undefined;
  /** Where the controller listens, e.g. `unix:/run/scriptd/controller.sock`. */
  controllerAddress: string;
  wireToken: WireToken;
  /** How it and the controller talk to each other. Default: on this host. */
  transport?: Transport;
  /** How long `close` lets requests in flight go on. */
  drainMs: number;
  /** How long a request waits for a controller that is away. */
  controllerWaitMs: number;
  log: Log;
  /** Where refused requests are written down. Default: `log`. */
  auditLog?: Log | undefined;
  /** Where `tokens` are from: over HTTP they are made and revoked there. */
  tokenFile?: string | undefined;
  /** Of the page, as the build leaves it. Default: the package's own. */
  pageFolder?: string | undefined;
}

/** Where `npm run build` puts the page. */
const pageFolder = join(packageRoot, 'dist', 'web');

export interface HttpServer {
  /** e.g. `http://127.0.0.1:5000` */
  readonly address: string;
  readonly debugAddress: string;
  /** What the controller says of the service; rejected as ControllerPort says. */
  status(): Promise<Report>;
  /** Stops accepting, answers what is in flight within `drainMs`, then ends the rest. */
  close(): Promise<void>;
}

/**
 * Starts the HTTP daemon: the product's port, the debug port, and the link to the controller, which
 * need not be there yet.
 *
 * @throws ScriptdError AUTH_REQUIRED, BAD_ADDRESS, INSECURE_TRANSPORT, or the errno's name when a port can't be had.
 */
export async function startHttp(options: HttpOptions): Promise<HttpServer> {
  requireGuardedAddress(options.host, options);
  requireGuardedAddress(options.debugHost, options);
  const transport = options.transport ?? new Transport();
  const address = transport.checked(parseAddress(options.controllerAddress));
  // Requests that one iteration of the loop brings go to the controller together.
  const poller = new Poller({ gathersWrites: true });
  const link = new ControllerLink({
    poller,
    address,
    transport,
    token: options.wireToken,
    controllerWaitMs: options.controllerWaitMs,
    log: options.log,
  });
  const daemon = new Daemon(options, link, poller);
  try {
    return await daemon.listen();
  } catch (error) {
    await daemon.close();
    throw error;
  }
}

class Daemon {
  readonly #options: HttpOptions;
  readonly #link: ControllerLink;
  readonly #poller: Poller;
  readonly #checks: Checks;
  readonly #streams = new EventStreams();
  readonly #vitals = new VitalSigns(() => this.#poller.stats());
  readonly #product: FastifyInstance;
  readonly #debug: FastifyInstance;
  #closing: Promise<void> | undefined;

  constructor(options: HttpOptions, link: ControllerLink, poller: Poller) {
    this.#options = options;
    this.#link = link;
    this.#poller = poller;
    const { log } = options;
    const guard = new Guard(options);
    const audit = new Audit(options.auditLog ?? log);
    const isDraining = () => this.#closing !== undefined;
    const controller: ControllerPort = options.tokens ? new ConfinedController(link) : link;
    const [unsent, room] = [new UnsentAnswers(), new BodyRoom()];
    this.#checks = new Checks(room);
    const ports = { unsent, room, connections: new Connections() };
    const shared = { guard, audit, isDraining, ...ports, log };
    const figures = { http: new RequestFigures('http'), debug: new RequestFigures('debug') };
    this.#product = createApp({ ...shared, figures: figures.http }, (app) => {
      openApiRoutes(app, options.tokens !== undefined);
      executeRoutes(app, controller, room, log);
      taskRoutes(app, controller, this.#checks);
      outputRoutes(app, controller);
      specRoutes(app, controller);
      batchRoutes(app, { controller, checks: this.#checks, ...shared });
      eventRoutes(app, controller, this.#streams, unsent, log);
      overviewRoutes(app, controller, this.#streams, unsent, log);
      listEventRoutes(app, controller, this.#streams, unsent, log);
      workerRoutes(app, controller);
      queueRoutes(app, controller);
      scheduleRoutes(app, controller, this.#checks);
      webhookRoutes(app, controller);
      healthRoute(app);
      readyRoute(app, link);
      tokenRoutes(app, bookOf(options), audit);
      sessionRoutes(app, options.tokens !== undefined);
      pageRoutes(app, readPage(options.pageFolder ?? pageFolder, log));
    });
    const requests = [figures.http, figures.debug];
    const measurements = new Measurements({ controller: link, requests, vitals: this.#vitals });
    this.#debug = createApp({ ...shared, figures: figures.debug }, (app) =>
      debugRoutes(app, link, measurements),
    );
  }

  async listen(): Promise<HttpServer> {
    const { host, port, fd, debugHost, debugPort, debugFd } = this.#options;
    return {
      address: await listen(this.#product, host, port, fd),
      debugAddress: await listen(this.#debug, debugHost, debugPort, debugFd),
      status: () => this.#link.status(),
      close: () => this.close(),
    };
  }

  close(): Promise<void> {
    this.#closing ??= this.#drain();
    return this.#closing;
  }

  async #drain(): Promise<void> {
    this.#streams.close();
    // First every request that is held is told, and only then, if need be, cut off.
    const apps = [this.#product, this.#debug];
    const tell = setTimeout(() => this.#link.close(), this.#options.drainMs);
    const cut = setTimeout(() => {
      for (const app of apps) app.server.closeAllConnections();
    }, this.#options.drainMs + httpLimits.farewellMs);
    await Promise.all(apps.map((app) => app.close()));
    clearTimeout(tell);
    clearTimeout(cut);
    this.#checks.close();
    this.#vitals.close();
    this.#link.close();
    // What it has still to say leaves at the end of this iteration of the loop.
    await new Promise((resolve) => setImmediate(resolve));
    this.#poller.close();
  }
}

function bookOf({ tokenFile, tokens }: HttpOptions): TokenBook | undefined {
  return tokenFile !== undefined && tokens ? new TokenBook(tokenFile, tokens) : undefined;
}

async function listen(
  app: FastifyInstance,
  host: string,
  port: number,
  fd: number | undefined,
): Promise<string> {
  // Fastify would listen for localhost with several servers, of which it drains only one.
  const address = host === 'localhost' ? '127.0.0.1' : host;
  try {
    // Handed on to net.Server, which takes a descriptor before all else.
    const at = { host: address, port, ...(fd !== undefined && { fd }) };
    return await app.listen({ ...at, listenTextResolver: String });
  } catch (cause) {
    const code = errorCode(cause) ?? 'LISTEN_FAILED';
    const text = `cannot listen on ${host} port ${port}: ${errorMessage(cause)}`;
    throw new ScriptdError(code, text, { syscall: 'listen', cause });
  }
}
