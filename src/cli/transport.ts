import type { Config, SettingName } from '../config/settings.js';
import { ScriptdError } from '../errors.js';
import type { Log } from '../log.js';
import { type Address, parseAddress } from '../poll/address.js';
import { TlsCredentials } from '../wire/tls-credentials.js';
import { Transport } from '../wire/transport.js';

/** Where workers join a controller when no port is given. */
const joinPort = 5005;

/** Settings of every part that may talk to another host. */
export const transportSettings = [
  'tlsCert',
  'tlsKey',
  'tlsCa',
  'insecureTransport',
] as const satisfies readonly SettingName[];

/**
 * How this part and the others talk to each other, by its settings.
 *
 * @throws ScriptdError BAD_CONFIG when only some of the three files are given; TLS_FILES
 */
export function transportOf(config: Config, log: Log): Transport {
  const { tlsCert: cert, tlsKey: key, tlsCa: ca, insecureTransport: insecure } = config;
  const given = [cert, key, ca].filter((path) => path !== '').length;
  if (given === 0) return new Transport({ insecure });
  if (given < 3) {
    throw new ScriptdError('BAD_CONFIG', 'tlsCert, tlsKey and tlsCa go together: give all three');
  }
  return new Transport({ tls: new TlsCredentials({ cert, key, ca }, log), insecure });
}

/** The address of `join` or `joinListen`; undefined where there is none. */
export function joinAddress(text: string): Address | undefined {
  if (text === '') return undefined;
  const hasPort = /:\d+$/.test(text) || !text.startsWith('tcp://');
  return parseAddress(hasPort ? text : `${text}:${joinPort}`);
}
