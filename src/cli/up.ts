import { type ChildProcess, spawn } from 'node:child_process';
import { get } from 'node:http';
import { availableParallelism } from 'node:os';
import { createInterface } from 'node:readline';
import type { Command } from 'commander';
import { Backoff } from '../backoff.js';
import type { Config, SettingName } from '../config/settings.js';
import { errorMessage } from '../errors.js';
import type { ControllerLink } from '../http/controller-link.js';
import { isLoopbackName } from '../http/origin.js';
import type { Log } from '../log.js';
import { parseAddress } from '../poll/address.js';
import type { WireToken } from '../wire/token.js';
import { type ChildCommand, childCommand } from './child-command.js';
import { configFileOf, configOf } from './config.js';
import { queueSettings } from './controller.js';
import { exitCodes, isLasting } from './exit-codes.js';
import { layoutOf, prepare } from './layout.js';
import { addSettings } from './options.js';
import { type RunningPart, runPart } from './part.js';
import { standingText } from './standing.js';
import { transportOf, transportSettings } from './transport.js';
import { defaultWorkers } from './workers.js';

/** Durations in milliseconds. */
const restartMsMin = 50;
const restartMsMax = 5_000;
/** A part that ran this long is restarted from the shortest wait. */
const restartResetMs = 10_000;
/** Beyond its drain time, what a part gets to end before it is killed. */
const stopGraceMs = 8_000;
const readyPollMs = 25;
/** How long it waits for the controller to say how the service stands. */
const standingWaitMs = 1_000;

export function addUpCommand(program: Command): void {
  const command = program
    .command('up')
    .description('everything on this host: controller, workers and http daemon (the default)');
  const names: SettingName[] = ['host', 'port', 'debugHost', 'debugPort', 'workers'];
  addSettings(command, [
    ...names,
    'tokenFile',
    'auditLog',
    'auth',
    'allowedHosts',
    'drainMs',
    'orphanMs',
    'isolation',
    'firstScriptId',
    ...queueSettings,
    ...transportSettings,
  ]);
  command.action(async () => {
    const config = upConfig(command);
    const configFile = configFileOf(command);
    await runPart('up', config, async (log) => {
      return new Up(await withLevel(config, log), configFile, log).start();
    });
  });
}

/** Nobody but this host is served on loopback: there a first run works on any host, with a warning. */
function upConfig(command: Command): Config {
  const config = configOf(command);
  return isLoopbackName(config.host) ? configOf(command, { isolation: 'auto' }) : config;
}

/** Finds out once for all workers what `auto` is on this host, and says so if it is not the best. */
async function withLevel(config: Config, log: Log): Promise<Config> {
  if (config.isolation !== 'auto') return config;
  const { strongestHere } = await import('../worker/isolation.js');
  const { level, lacking } = strongestHere();
  if (lacking !== undefined) {
    log.warn(
      { isolation: level },
      `scripts run at isolation ${level}, not strict (scriptd doctor explains it); ` +
        `this host lacks ${lacking}`,
    );
  }
  return { ...config, isolation: level };
}

/** Starts the parts, starts again what dies, and ends them in order: clients first, workers last. */
class Up {
  readonly #config: Config;
  readonly #configFile: string | undefined;
  readonly #controller: Supervised;
  readonly #http: Supervised;
  readonly #log: Log;
  #fail: (exitCode: number) => void = () => undefined;
  /** Made when somebody asks how the service stands. */
  #link: ControllerLink | undefined;

  constructor(config: Config, configFile: string | undefined, log: Log) {
    this.#config = config;
    this.#configFile = configFile;
    this.#log = log;
    const workers =
      Object.keys(config.workers).length > 0
        ? config.workers
        : defaultWorkers(availableParallelism());
    const supervised = (name: 'controller' | 'http', command: () => ChildCommand) =>
      new Supervised(name, command, log, (exitCode) => this.#fail(exitCode));
    this.#controller = supervised('controller', () => this.#command('controller', { workers }));
    this.#http = supervised('http', () => this.#command('http', this.#httpValues()));
  }

  start(): RunningPart {
    const layout = layoutOf(this.#config);
    const token = prepare(this.#config, layout);
    const failed = new Promise<number>((resolve) => {
      this.#fail = resolve;
    });
    this.#controller.start();
    this.#http.start();
    return {
      ready: this.#announce(),
      standing: () => this.#standing(token),
      ended: failed.then(async (exitCode) => {
        await this.#stop();
        return exitCode;
      }),
      stop: () => this.#stop(),
    };
  }

  async #stop(): Promise<void> {
    await this.#http.stop(this.#config.drainMs + stopGraceMs);
    this.#controller.revive();
    await this.#controller.stop(this.#config.drainMs + stopGraceMs);
  }

  /** What the controller says, over a connection of our own. */
  async #standing(token: WireToken): Promise<string> {
    const { ControllerLink } = await import('../http/controller-link.js');
    const { Poller } = await import('../poll/poller.js');
    this.#link ??= new ControllerLink({
      poller: new Poller(),
      address: parseAddress(layoutOf(this.#config).controllerAddress),
      transport: transportOf(this.#config, this.#log),
      token,
      controllerWaitMs: standingWaitMs,
      log: this.#log,
    });
    return this.#link.status().then(standingText, errorMessage);
  }

  /** The one line on stdout, once a request would be served. */
  async #announce(): Promise<void> {
    while (!this.#controller.stopping) {
      const address = this.#http.listening?.http;
      if (address !== undefined && (await isReady(address))) {
        process.stdout.write(`scriptd ready ${address}\n`);
        return;
      }
      await new Promise((resolve) => setTimeout(resolve, readyPollMs));
    }
  }

  #command(part: 'controller' | 'http', values: Partial<Record<SettingName, unknown>>) {
    const { dataDir, runDir, wireTokenFile, logLevel, drainMs } = this.#config;
    const { orphanMs, isolation, firstScriptId, evaluator } = this.#config;
    const { durability, retentionMs, retentionBytes } = this.#config;
    const { webhookAllow, webhookSecretFile } = this.#config;
    const shared = { dataDir, runDir, wireTokenFile, logLevel, drainMs };
    const kept = { durability, retentionMs, retentionBytes, webhookAllow, webhookSecretFile };
    const { controllerListen, joinListen, reconnectGraceMs } = this.#config;
    const { tlsCert, tlsKey, tlsCa, insecureTransport } = this.#config;
    const { otlpEndpoint } = this.#config;
    const others = { controllerListen, joinListen, reconnectGraceMs, otlpEndpoint };
    const transport = { tlsCert, tlsKey, tlsCa, insecureTransport };
    const workers = { orphanMs, isolation, firstScriptId, evaluator };
    // The http daemon of this host needs no TLS to reach its controller.
    const own = part === 'controller' ? { ...workers, ...kept, ...others, ...transport } : {};
    const options = { configFile: this.#configFile, lifeline: true };
    return childCommand(part, { ...values, ...shared, ...own }, options);
  }

  /** A port that was left to the system stays what it became the first time. */
  #httpValues() {
    const { host, debugHost, tokenFile, auditLog, auth, allowedHosts } = this.#config;
    const { http, debug } = this.#http.listening ?? {};
    const port = http === undefined ? this.#config.port : Number(new URL(http).port);
    const debugPort = debug === undefined ? this.#config.debugPort : Number(new URL(debug).port);
    return { host, port, debugHost, debugPort, tokenFile, auditLog, auth, allowedHosts };
  }
}

/** False as well where nobody listens (any more): it is asked again soon. */
function isReady(address: string): Promise<boolean> {
  return new Promise((resolve) => {
    // Not fetch, which takes longer to load than a part takes to start.
    const options = { agent: false, headers: { connection: 'close' } };
    const request = get(new URL('/readyz', address), options, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    request.once('error', () => resolve(false));
  });
}

/** One part as a child process that is started again when it dies. */
class Supervised {
  readonly #name: string;
  readonly #command: () => ChildCommand;
  readonly #log: Log;
  readonly #onLasting: (exitCode: number) => void;
  readonly #backoff = new Backoff(restartMsMin, restartMsMax);
  #child: ChildProcess | undefined;
  #restart: NodeJS.Timeout | undefined;
  #startedAtMs = 0;
  /** Fulfilled once it has said that it listens. */
  #up: Promise<void> = Promise.resolve();
  stopping = false;
  /** What it said that it listens on. */
  listening: { http?: string; debug?: string } | undefined;

  constructor(
    name: string,
    command: () => ChildCommand,
    log: Log,
    onLasting: (exitCode: number) => void,
  ) {
    this.#name = name;
    this.#command = command;
    this.#log = log;
    this.#onLasting = onLasting;
  }

  start(): void {
    const { file, args, env } = this.#command();
    this.#startedAtMs = performance.now();
    let child: ChildProcess;
    try {
      // A session of its own: Ctrl-C on a terminal reaches `up` alone, which ends the parts in order.
      child = spawn(file, args, { env, detached: true, stdio: ['pipe', 'pipe', 'inherit'] });
    } catch (error) {
      // Some are thrown, such as ENOMEM; others, such as EAGAIN, come as `error`.
      this.#startAgain(`could not be started: ${errorMessage(error)}`);
      return;
    }
    this.#child = child;
    // Absent when there was no descriptor for it: then `error` follows.
    if (child.stdout) {
      const lines = createInterface({ input: child.stdout });
      lines.on('line', (line) => this.#read(line));
      this.#up = new Promise((resolve) => lines.once('line', () => resolve()));
    }
    child.once('exit', (code, signal) => this.#exited(code, signal));
    child.once('error', (error) => {
      this.#log.error(`${this.#name} could not be started: ${error.message}`);
      this.#exited(null, null);
    });
  }

  /** If it is about to be started again, now: only it can end what it had started before. */
  revive(): void {
    if (this.#child || !this.#restart) return;
    clearTimeout(this.#restart);
    this.start();
  }

  /** Asks it to end; kills it when it has not after `waitMs`. */
  async stop(waitMs: number): Promise<void> {
    this.stopping = true;
    clearTimeout(this.#restart);
    const child = this.#child;
    if (!child) return;
    const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
    const timer = setTimeout(() => {
      this.#log.warn(`${this.#name} did not end within ${waitMs} ms: killing it`);
      child.kill('SIGKILL');
    }, waitMs);
    // Sooner the signal would end it while it loads, and nothing of what it is there to end.
    await Promise.race([this.#up, gone]);
    child.kill('SIGTERM');
    await gone;
    clearTimeout(timer);
  }

  #read(line: string): void {
    const found = /^scriptd http listening (\S+) debug (\S+)$/.exec(line);
    if (found?.[1] && found[2]) this.listening = { http: found[1], debug: found[2] };
  }

  #exited(code: number | null, signal: string | null): void {
    if (!this.#child) return;
    this.#child = undefined;
    if (this.stopping) return;
    // It has listened there: whoever has its port since it ended may be gone soon.
    const isTaken = code === exitCodes.unavailable && this.listening !== undefined;
    if (isLasting(code) && !isTaken) {
      this.#onLasting(code ?? exitCodes.failed);
      return;
    }
    this.#startAgain(signal ? `was ended by ${signal}` : `exited with code ${code}`);
  }

  #startAgain(how: string): void {
    if (performance.now() - this.#startedAtMs > restartResetMs) this.#backoff.reset();
    const waitMs = this.#backoff.takeMs();
    this.#log.error(`${this.#name} ${how}; starting it again in ${Math.round(waitMs)} ms`);
    this.#restart = setTimeout(() => this.start(), waitMs);
  }
}
