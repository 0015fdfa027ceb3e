import { timingSafeEqual } from 'node:crypto';
import { Bucket } from './rate.js';
import type { Rights } from './scopes.js';
import { readTime } from './time-text.js';
import type { TokenRecord } from './token-record.js';
import { tokenDigest } from './token-text.js';

/** A token that the service knows, without the token itself. */
export interface Token extends Rights {
  id: string;
  /** SHA-256 of the token. */
  digest: Buffer;
  /** From then on it is not valid. Milliseconds since 1970-01-01 UTC. */
  expiresAtMs: number;
  /** How often it may ask; undefined: as often as it likes. */
  bucket?: Bucket | undefined;
}

/** The tokens that may come in. Only their digests are kept. */
export class Tokens {
  /** By the first 32 bits of their digests. */
  #known: ReadonlyMap<number, readonly Token[]> = new Map();
  #size = 0;
  /** How often they were replaced. */
  revision = 0;

  /** @param entries as the file has them: records, or tokens as they are, which may do everything */
  constructor(entries: readonly (string | TokenRecord)[]) {
    this.replace(entries);
  }

  get size(): number {
    return this.#size;
  }

  /** Only these are valid from now on. What a token has used up of its rate stays used up. */
  replace(entries: readonly (string | TokenRecord)[]): void {
    const buckets = new Map<string, Bucket | undefined>();
    for (const { id, bucket } of [...this.#known.values()].flat()) buckets.set(id, bucket);
    const known = new Map<number, Token[]>();
    for (const [index, entry] of entries.entries()) {
      const one = typeof entry === 'string' ? plain(entry, index + 1) : kept(entry, buckets);
      const start = one.digest.readUInt32BE();
      known.set(start, [...(known.get(start) ?? []), one]);
    }
    this.#known = known;
    this.revision += 1;
    this.#size = entries.length;
  }

  /**
   * The token, expired or not; undefined when it is none of them. How long that takes depends on no
   * more than 32 bits of a digest, which lead nobody to a token; the rest takes the same time for all.
   */
  find(text: string): Token | undefined {
    return this.#of(Buffer.from(tokenDigest(text), 'hex'));
  }

  /** A token that was found before, as it is now; undefined when it is none of them any more. */
  latest({ digest }: Token): Token | undefined {
    return this.#of(digest);
  }

  #of(digest: Buffer): Token | undefined {
    let found: Token | undefined;
    for (const token of this.#known.get(digest.readUInt32BE()) ?? []) {
      if (timingSafeEqual(token.digest, digest)) found = token;
    }
    return found;
  }
}

function kept(record: TokenRecord, buckets: ReadonlyMap<string, Bucket | undefined>): Token {
  const { id, name, scopes, group, rate, expiresAt, sha256 } = record;
  const expiresAtMs =
    expiresAt === undefined ? Number.POSITIVE_INFINITY : readTime('expiresAt', expiresAt);
  const bucket = rate && bucketFor(rate, buckets.get(id));
  const digest = Buffer.from(sha256, 'hex');
  return { id, name, scopes, group, digest, expiresAtMs, bucket };
}

/** The one that was there, unless its rate is another now. */
function bucketFor(rate: Bucket['rate'], before: Bucket | undefined): Bucket {
  const { perSecond, burst } = before?.rate ?? {};
  return before && perSecond === rate.perSecond && burst === rate.burst ? before : new Bucket(rate);
}

function plain(text: string, number: number): Token {
  const id = `plain-${number}`;
  const expiresAtMs = Number.POSITIVE_INFINITY;
  const digest = Buffer.from(tokenDigest(text), 'hex');
  return { id, name: id, scopes: ['admin'], digest, expiresAtMs };
}
