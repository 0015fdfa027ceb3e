import { isIPv6 } from 'node:net';
import { httpLimits } from './limits.js';
import { Bucket } from './rate.js';

const rate = { perSecond: httpLimits.authFailuresPerSecond, burst: httpLimits.authFailuresBurst };

/**
 * Requests without a valid token, by the address that they came from: how many more are answered as
 * such. Of more addresses than it has room for, the one that failed longest ago is forgotten.
 */
export class Failures {
  /** In the order of their last failure, oldest first. */
  readonly #buckets = new Map<string, Bucket>();

  /** How long until the address may fail again; 0: it may now. Milliseconds. */
  waitMs(address: string | undefined, nowMs: number): number {
    return this.#buckets.get(networkOf(address))?.waitMs(nowMs) ?? 0;
  }

  /** Notes a failure, unless the address had used up its own: then how long until it may fail again. */
  add(address: string | undefined, nowMs: number): number {
    const network = networkOf(address);
    const bucket = this.#buckets.get(network) ?? new Bucket(rate);
    this.#buckets.delete(network);
    this.#buckets.set(network, bucket);
    if (this.#buckets.size > httpLimits.authFailureAddressesMax) {
      const [oldest] = this.#buckets.keys();
      if (oldest !== undefined) this.#buckets.delete(oldest);
    }
    return bucket.take(nowMs);
  }
}

/** Of IPv6 the /64: whoever has one address of it mostly has all of them. */
export function networkOf(address: string | undefined): string {
  if (address === undefined || !isIPv6(address)) return address ?? '';
  const mapped = /^::ffff:([\d.]+)$/i.exec(address)?.[1];
  if (mapped !== undefined) return mapped;
  const [head = '', tail] = (address.split('%', 1)[0] ?? '').split('::');
  const front = head === '' ? [] : head.split(':');
  const back = tail ? tail.split(':').length : 0;
  const zeros = tail === undefined ? 0 : 8 - front.length - back;
  return [...front, ...Array(zeros).fill('0'), ...(tail ? tail.split(':') : [])]
    .slice(0, 4)
    .join(':');
}
