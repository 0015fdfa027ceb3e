export type Scope = 'submit' | 'read' | 'admin';

/** What a token is to be for. docs/API.md explains every member. */
export interface TokenSpec {
  /** Letters, digits and `._@-`; no two are the same. */
  name: string;
  scopes: Scope[];
  /** The only group that it may submit into, see and end; not with `admin`. */
  group?: string;
  rate?: { perSecond: number; burst: number };
  /** RFC 3339; left out: never. */
  expiresAt?: string;
}

/** A token of the service, without the token itself. */
export interface TokenInfo extends TokenSpec {
  id: string;
  createdAt: string;
  /** It is the one that the client shows. */
  current?: true;
}

export interface TokenList {
  tokens: TokenInfo[];
  /** How many stand in plain text in the file, with every right. */
  plain: number;
  /** Whether the service can make and revoke them. */
  writable: boolean;
}
