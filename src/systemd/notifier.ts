import { errorMessage } from '../errors.js';
import type { Log } from '../log.js';
import { epollAddon } from '../poll/native-poller.js';
import { translated } from '../poll/system-error.js';

/** What systemd gives a service of `Type=notify`, and takes from none of its children. */
const variables = ['NOTIFY_SOCKET', 'WATCHDOG_USEC', 'WATCHDOG_PID'] as const;

/**
 * Tells the service manager how this process stands. What cannot be told is logged and no fault of
 * the service: a manager that misses it acts by its own limits of time.
 *
 * Source: sd_notify(3)
 */
export class Notifier {
  readonly #address: string;
  readonly #log: Log;
  readonly #watchdog: NodeJS.Timeout | undefined;
  #lastStatus = '';

  /**
   * @param address path of a datagram socket, or `@name` for an abstract one
   * @param watchdogMs the manager ends a service that has not been heard of for so long
   */
  constructor(address: string, watchdogMs: number | undefined, log: Log) {
    this.#address = address;
    this.#log = log;
    // From the event loop, so that it stops when that does. Half of the time, as the man page has it.
    if (watchdogMs !== undefined) {
      this.#watchdog = setInterval(() => this.#send('WATCHDOG=1'), Math.ceil(watchdogMs / 2));
      this.#watchdog.unref();
    }
  }

  /** The service is up. */
  ready(): void {
    this.#send('READY=1');
  }

  /** One line for people. Sent when it is another than before. */
  status(text: string): void {
    const line = text.replaceAll(/\s+/g, ' ');
    if (line === this.#lastStatus) return;
    this.#lastStatus = line;
    this.#send(`STATUS=${line}`);
  }

  /** The service ends; the watchdog is fed on until the process does. */
  stopping(): void {
    this.#send('STOPPING=1');
  }

  close(): void {
    clearInterval(this.#watchdog);
  }

  #send(message: string): void {
    try {
      const what = `tell the service manager at ${this.#address}`;
      translated(what, () => epollAddon.sendDatagram(this.#address, message));
    } catch (error) {
      this.#log.warn({ err: error }, errorMessage(error));
    }
  }
}

/**
 * The notifier that the environment asks for, if any. Takes its variables out of the environment,
 * so that no child takes itself for the service.
 */
export function takeNotifier(env: NodeJS.ProcessEnv, log: Log): Notifier | undefined {
  const [address, watchdogUs, watchdogPid] = variables.map((name) => {
    const value = env[name];
    delete env[name];
    return value;
  });
  if (address === undefined || address === '') return undefined;
  const isWatched = watchdogPid === undefined || Number(watchdogPid) === process.pid;
  const ms = Number(watchdogUs) / 1_000;
  return new Notifier(address, isWatched && ms > 0 ? ms : undefined, log);
}
