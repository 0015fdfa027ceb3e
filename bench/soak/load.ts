import { Random } from '../../test/simulation/random.js';
import type { Service } from '../service.js';
import { type Kind, Session } from './session.js';

/** Clients at once: more than there are slots, so that tasks wait too. */
export const clients = 12;
/** Of things that went wrong before the load gives up. */
const wrongMax = 10;

/** What clients did, and what was other than it had to be. */
export class Load {
  readonly done = new Map<string, number>();
  readonly wrong: string[] = [];
  readonly #service: Service;
  readonly #kinds: readonly Kind[];
  readonly #sessions: Session[];

  /** @param seed decides which kinds each client takes, and in which order */
  constructor(service: Service, kinds: readonly Kind[], seed: number) {
    this.#service = service;
    this.#kinds = kinds;
    this.#sessions = Array.from(
      { length: clients },
      (_, index) => new Session(service.http, service.port, new Random(seed + index)),
    );
  }

  get total(): number {
    return [...this.done.values()].reduce((sum, count) => sum + count, 0);
  }

  /** Every client does one thing after the other; what has begun is brought to its end. */
  async keepUp(forMs: number): Promise<void> {
    const endsAtMs = performance.now() + forMs;
    const client = async (session: Session) => {
      while (performance.now() < endsAtMs && this.wrong.length < wrongMax) {
        await this.#doOne(pickKind(this.#kinds, session.random.next()), session);
      }
    };
    await Promise.all(this.#sessions.map(client));
  }

  /** Each kind once, a few at a time. */
  async doEach(): Promise<void> {
    const left = [...this.#kinds];
    const client = async (session: Session) => {
      for (let kind = left.shift(); kind; kind = left.shift()) await this.#doOne(kind, session);
    };
    await Promise.all(this.#sessions.map(client));
  }

  /** All clients at once do what takes much memory: buffers and heaps become as large as they get. */
  async swell(): Promise<void> {
    const large = this.#kinds.filter(({ isLarge }) => isLarge);
    for (const kind of large) {
      await Promise.all(this.#sessions.map((session) => this.#doOne(kind, session)));
    }
  }

  /** Ends the connections that are kept: what the service holds then is its own. */
  leave(): void {
    this.#service.http.close();
  }

  async #doOne(kind: Kind, session: Session): Promise<void> {
    try {
      await kind.run(session);
    } catch (error) {
      this.wrong.push(`${kind.name}: ${error instanceof Error ? error.message : error}`);
    }
    this.done.set(kind.name, (this.done.get(kind.name) ?? 0) + 1);
  }
}

/** @param luck from 0 to 1 */
export function pickKind(kinds: readonly Kind[], luck: number): Kind {
  const total = kinds.reduce((sum, { weight }) => sum + weight, 0);
  let left = luck * total;
  for (const kind of kinds) {
    left -= kind.weight;
    if (left < 0) return kind;
  }
  return kinds.at(-1) as Kind;
}
