import { Backoff } from '../backoff.js';
import type { Log } from '../log.js';
import { type Address, formatAddress } from '../poll/address.js';
import type { Poller } from '../poll/poller.js';
import type { Unwelcome } from '../wire/messages.js';
import type { Transport } from '../wire/transport.js';
import { workerLimits } from './limits.js';
import type { Session, SessionChannel } from './session.js';

export interface JoinerOptions {
  poller: Poller;
  transport: Transport;
  /** Where the controller takes workers in. */
  address: Address;
  session: Session;
  log: Log;
}

/**
 * Connects a worker to its controller, where the controller does not connect to the worker: both
 * connections, and each again, with backoff, whenever it is lost.
 */
export class Joiner {
  readonly #options: JoinerOptions;
  readonly #retries = new Map<SessionChannel, NodeJS.Timeout>();
  readonly #backoffs = {
    receiver: new Backoff(workerLimits.joinMsMin, workerLimits.joinMsMax),
    emitter: new Backoff(workerLimits.joinMsMin, workerLimits.joinMsMax),
  };
  #stopped = false;

  constructor(options: JoinerOptions) {
    this.#options = options;
    this.#dial('receiver');
    this.#dial('emitter');
  }

  /** The controller does not take this worker in. It is asked again: what is in the way may go. */
  turnedAway({ code, reason }: Unwelcome): void {
    this.#options.log.error({ code }, `the controller turned this worker away: ${reason}`);
  }

  stop(): void {
    this.#stopped = true;
    for (const retry of this.#retries.values()) clearTimeout(retry);
  }

  #dial(channel: SessionChannel): void {
    const { poller, transport, address, session } = this.#options;
    const sinceMs = performance.now();
    const stream = transport.connect(poller, address);
    session.dial(stream, channel, () => {
      if (this.#stopped) return;
      const backoff = this.#backoffs[channel];
      // Only a connection that held makes the waits short again, not one that breaks at once.
      if (performance.now() - sinceMs > workerLimits.joinResetMs) backoff.reset();
      const waitMs = backoff.takeMs();
      const where = formatAddress(address);
      this.#options.log.debug({ channel, waitMs }, `connecting to ${where} again`);
      this.#retries.set(
        channel,
        setTimeout(() => this.#dial(channel), waitMs),
      );
    });
  }
}
