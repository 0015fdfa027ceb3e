import { isIP } from 'node:net';
import { ScriptdError } from '../errors.js';
import { pollLimits } from './limits.js';

/** Where to listen or connect. An IPv6 host has no brackets here. */
export type Address = { kind: 'unix'; path: string } | { kind: 'tcp'; host: string; port: number };

/**
 * Reads 'unix:/run/x.sock', 'tcp://127.0.0.1:5100', 'tcp://controller:5005' or 'tcp://[::1]:5100'.
 * Port 0 asks a listener to choose one.
 *
 * @throws ScriptdError BAD_ADDRESS
 */
export function parseAddress(text: string): Address {
  if (text.startsWith('unix:')) return parseUnix(text, text.slice('unix:'.length));
  if (text.startsWith('tcp://')) return parseTcp(text, text.slice('tcp://'.length));
  throw bad(text, 'write unix:/PATH or tcp://HOST:PORT');
}

/** The text that parseAddress reads back. */
export function formatAddress(address: Address): string {
  if (address.kind === 'unix') return `unix:${address.path}`;
  const host = address.host.includes(':') ? `[${address.host}]` : address.host;
  return `tcp://${host}:${address.port}`;
}

function parseUnix(text: string, path: string): Address {
  if (path === '') throw bad(text, 'a path must follow unix:');
  if (path.includes('\0')) throw bad(text, 'a path has no NUL');
  const bytes = Buffer.byteLength(path);
  if (bytes > pollLimits.unixPathBytesMax) {
    const most = pollLimits.unixPathBytesMax;
    throw bad(
      text,
      `the path takes ${bytes} bytes and Linux allows ${most}: choose a shorter folder`,
    );
  }
  return { kind: 'unix', path };
}

function parseTcp(text: string, rest: string): Address {
  const match = /^(?:\[([^\]]+)\]|([^[\]:/?#@\s]+)):(\d{1,5})$/.exec(rest);
  if (!match) throw bad(text, 'write tcp://HOST:PORT, an IPv6 host in brackets: tcp://[::1]:5100');
  const [, bracketed, plain] = match;
  if (bracketed !== undefined && isIP(bracketed) !== 6) {
    throw bad(text, `${bracketed} is no IPv6 address`);
  }
  const port = Number(match[3]);
  if (port > 65_535) throw bad(text, `port ${port} is over 65535`);
  return { kind: 'tcp', host: bracketed ?? plain ?? '', port };
}

function bad(text: string, cure: string): ScriptdError {
  return new ScriptdError('BAD_ADDRESS', `${JSON.stringify(text)} is no address: ${cure}`);
}
