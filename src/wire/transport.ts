import { ScriptdError } from '../errors.js';
import { type Address, formatAddress } from '../poll/address.js';

/**
 * Frames are neither encrypted nor signed, so they stay on this host: a Unix socket, or TCP on
 * loopback.
 *
 * @throws ScriptdError INSECURE_TRANSPORT
 */
export function requireLocal(address: Address): Address {
  if (address.kind === 'unix' || isLoopback(address.host)) return address;
  throw new ScriptdError(
    'INSECURE_TRANSPORT',
    `${formatAddress(address)} is not on this host, and the wire is not encrypted yet: ` +
      'use unix:/PATH or tcp://127.0.0.1:PORT',
  );
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127\.\d+\.\d+\.\d+$/.test(host);
}
