import { ask, askJson } from '../api/http.js';
import type { Scope } from '../api/session.js';

/** A token as a list has it: never the token itself. Times are RFC 3339. */
export interface TokenRecord {
  id: string;
  name: string;
  scopes: Scope[];
  /** The only group that it may submit into, see and end. */
  group?: string;
  rate?: { perSecond: number; burst: number };
  createdAt: string;
  expiresAt?: string;
  /** With this one the page is signed in. */
  current?: true;
}

export interface TokenList {
  tokens: TokenRecord[];
  /** How many stand in the file as they are; they have every right. */
  plain: number;
  /** Whether the service can write the file. */
  writable: boolean;
}

/** What is asked for. The service judges it. */
export interface TokenWish {
  name: string;
  scopes: Scope[];
  group?: string;
  expiresAt?: string;
  rate?: { perSecond: number | string; burst: number | string };
}

const all = '/v1/tokens';

export function listTokens(): Promise<TokenList> {
  return askJson(all);
}

/** @returns with the token itself, this one time */
export function makeToken(wish: TokenWish): Promise<TokenRecord & { token: string }> {
  return askJson(all, { method: 'POST', body: wish });
}

export async function revokeToken(id: string): Promise<void> {
  await ask(`${all}/${encodeURIComponent(id)}`, { method: 'DELETE' });
}
