import { isIP } from 'node:net';
import { ScriptdError } from '../errors.js';
import { type Address, formatAddress } from '../poll/address.js';
import type { Poller } from '../poll/poller.js';
import type { Socket } from '../poll/socket.js';
import type { ByteStream } from './stream.js';
import type { TlsCredentials } from './tls-credentials.js';
import { TlsStream } from './tls-stream.js';

export interface TransportOptions {
  /** All TCP is TLS with these. */
  tls?: TlsCredentials | undefined;
  /** Plain TCP goes anywhere: something else guards the network. */
  insecure?: boolean | undefined;
}

/**
 * Over what the parts talk to each other: Unix sockets as they are, TCP by TLS where there are
 * certificates, else only on loopback.
 */
export class Transport {
  readonly #tls: TlsCredentials | undefined;
  readonly #insecure: boolean;

  constructor({ tls, insecure = false }: TransportOptions = {}) {
    this.#tls = tls;
    this.#insecure = insecure;
  }

  /**
   * The same address, if nobody can listen in on what goes there.
   *
   * @throws ScriptdError INSECURE_TRANSPORT
   */
  checked(address: Address): Address {
    if (address.kind === 'unix' || this.#tls || this.#insecure) return address;
    if (isLoopback(address.host)) return address;
    throw new ScriptdError(
      'INSECURE_TRANSPORT',
      `${formatAddress(address)} is not on this host, and what goes there would be readable on the ` +
        'way: give tlsCert, tlsKey and tlsCa (scriptd certs init makes them), use unix:/PATH or ' +
        'tcp://127.0.0.1:PORT, or --insecure-transport where something else guards the network',
    );
  }

  /**
   * A stream on its way to be connected: ends in onOpen or in onClose.
   *
   * @throws ScriptdError INSECURE_TRANSPORT, CLOSED
   */
  connect(poller: Poller, address: Address): ByteStream {
    this.checked(address);
    // Whoever gets the stream sets its handlers before anything can come.
    const socket = poller.connect(address, { onData: () => undefined });
    if (address.kind === 'unix' || !this.#tls) return socket;
    const hostName = isIP(address.host) === 0 ? address.host : undefined;
    return TlsStream.connecting(socket, this.#tls, hostName);
  }

  /** The stream of a connection that came in at this address. */
  accept(socket: Socket, address: Address): ByteStream {
    if (address.kind === 'unix' || !this.#tls) return socket;
    return TlsStream.accepted(socket, this.#tls);
  }
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127\.\d+\.\d+\.\d+$/.test(host);
}
