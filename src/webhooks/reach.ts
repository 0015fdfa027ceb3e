import { BlockList, isIP } from 'node:net';
import { ScriptdError } from '../errors.js';
import { webhookLimits } from './limits.js';

type Family = 'ipv4' | 'ipv6';

/**
 * What is not the public internet: this host, private networks, carriers' networks (CGNAT),
 * link-local (where clouds keep credentials), multicast, documentation, reserved.
 *
 * Source: IANA IPv4 Special-Purpose Address Registry (RFC 6890)
 */
const notPublic4 = [
  ...['0.0.0.0/8', '10.0.0.0/8', '100.64.0.0/10', '127.0.0.0/8', '169.254.0.0/16'],
  ...['172.16.0.0/12', '192.0.0.0/24', '192.0.2.0/24', '192.31.196.0/24', '192.52.193.0/24'],
  ...['192.88.99.0/24', '192.168.0.0/16', '192.175.48.0/24', '198.18.0.0/15'],
  ...['198.51.100.0/24', '203.0.113.0/24', '224.0.0.0/4', '240.0.0.0/4'],
];
/**
 * Of IPv6 only global unicast is public; so neither ::1, ::ffff:0:0/96 (IPv4-mapped), 64:ff9b::/96
 * (NAT64), fc00::/7, fe80::/10 nor ff00::/8. And within it not what leads elsewhere: protocol
 * assignments with Teredo, documentation, 6to4.
 *
 * Source: IANA IPv6 Special-Purpose Address Registry (RFC 6890)
 */
const public6 = ['2000::/3'];
const notPublic6 = ['2001::/23', '2001:db8::/32', '2002::/16', '2620:4f:8000::/48', '3fff::/20'];

const reserved = listOf([...notPublic4, ...notPublic6]);
const globalUnicast = listOf(public6);

/** Where webhooks may lead: to public addresses, and to what an operator allows beside them. */
export class Reach {
  readonly #names = new Set<string>();
  readonly #allowed = new BlockList();

  /**
   * @param allow names of hosts, addresses, and ranges such as 10.1.0.0/16
   * @throws ScriptdError BAD_CONFIG
   */
  constructor(allow: readonly string[]) {
    if (allow.length > webhookLimits.allowMax) {
      const text = `webhookAllow has ${allow.length} entries; at most ${webhookLimits.allowMax} are possible`;
      throw new ScriptdError('BAD_CONFIG', text);
    }
    for (const entry of allow) {
      if (addTo(this.#allowed, entry)) continue;
      if (!/^[A-Za-z0-9_]([A-Za-z0-9._-]*[A-Za-z0-9_])?$/.test(entry)) {
        const text = `webhookAllow: ${JSON.stringify(entry)} is neither the name of a host nor an address nor a range such as 10.1.0.0/16`;
        throw new ScriptdError('BAD_CONFIG', text);
      }
      this.#names.add(entry.toLowerCase());
    }
  }

  /** Whether a connection for a URL with this host may be made to this address. */
  permits(address: string, host: string): boolean {
    if (this.#names.has(nameOf(host))) return true;
    const family = familyOf(address);
    if (!family) return false;
    if (this.#allowed.check(address, family)) return true;
    if (reserved.check(address, family)) return false;
    return family === 'ipv4' || globalUnicast.check(address, family);
  }

  /**
   * Why a webhook can't lead there, as far as its URL says it; undefined when it may. What a name
   * leads to shows only when it is connected to.
   */
  fault({ hostname }: URL): string | undefined {
    const host = nameOf(hostname);
    const address = isLocalhost(host) ? '127.0.0.1' : host;
    if (familyOf(address) === undefined || this.permits(address, host)) return undefined;
    return `\`webhook.url\` leads to ${hostname}, which is not public: give a public host, or have the operator allow it (webhookAllow)`;
  }
}

/** Of a URL's host: without the brackets of IPv6 and the dot at the end of a name. */
export function nameOf(host: string): string {
  return host
    .toLowerCase()
    .replace(/^\[(.*)\]$/, '$1')
    .replace(/\.$/, '');
}

/** Source: RFC 6761, 6.3 */
function isLocalhost(host: string): boolean {
  return host === 'localhost' || host.endsWith('.localhost');
}

/** Undefined: it is no address, or one of a zone, which is link-local. */
function familyOf(address: string): Family | undefined {
  if (address.includes('%')) return undefined;
  const version = isIP(address);
  return version === 0 ? undefined : version === 4 ? 'ipv4' : 'ipv6';
}

function listOf(ranges: readonly string[]): BlockList {
  const list = new BlockList();
  for (const range of ranges) addTo(list, range);
  return list;
}

/** False: it is neither an address nor a range. */
function addTo(list: BlockList, entry: string): boolean {
  const [address = '', bits, ...more] = entry.split('/');
  const family = familyOf(address);
  if (!family || more.length > 0) return false;
  const most = family === 'ipv4' ? 32 : 128;
  if (bits === undefined) {
    list.addAddress(address, family);
    return true;
  }
  if (!/^\d{1,3}$/.test(bits) || Number(bits) > most) return false;
  list.addSubnet(address, Number(bits), family);
  return true;
}
