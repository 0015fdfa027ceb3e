import { signal } from '@preact/signals';
import { refusalOf, sentenceOf } from './problem.js';
import { Tabs } from './tabs.js';

export type Scope = 'submit' | 'read' | 'admin';

/** Who looks at the page, as the service sees it. */
export interface Session {
  /** Whether the service asks for tokens at all. */
  tokens: boolean;
  name?: string;
  scopes: Scope[];
  /** The only group whose tasks it may see. */
  group?: string;
  expiresAt?: string;
  version: string;
}

/** What is known of it; `out`: a token is needed, `fault` says why the last was not enough. */
export type SessionState =
  | { kind: 'loading' }
  | { kind: 'in'; session: Session }
  | { kind: 'out'; fault?: string }
  | { kind: 'away'; fault: string };

export const sessionState = signal<SessionState>({ kind: 'loading' });

const place = 'scriptd-session';
/** Whose everything is that this tab keeps. */
const ownerPlace = 'scriptd-owner';
const tabs = new Tabs(place);
const forgetters = new Set<() => void>();

/** @param forget what nobody else may see who signs in in this tab */
export function keptForOwner(forget: () => void): void {
  forgetters.add(forget);
}

/**
 * Half of what stands for the token: the other half is a cookie that no script can read. One is of
 * no use without the other.
 */
export function sessionKey(): string | null {
  return sessionStorage.getItem(place) ?? localStorage.getItem(place);
}

export function sessionHeaders(key: string | null): Record<string, string> {
  return key === null ? {} : { 'scriptd-session': key };
}

/** Whether whoever is signed in may do what takes this scope. */
export function may(scope: Scope): boolean {
  const state = sessionState.value;
  if (state.kind !== 'in') return false;
  const { scopes } = state.session;
  return scopes.includes(scope) || scopes.includes('admin');
}

/** Asks the service who this is. */
export async function loadSession(): Promise<void> {
  try {
    let key = sessionKey();
    let response = await who(key);
    if (key === null && response.status === 401) {
      key = (await tabs.ask()) ?? null;
      if (key !== null) {
        sessionStorage.setItem(place, key);
        response = await who(key);
      }
    }
    if (response.ok) enter(await response.json());
    // 429: others of this address showed no valid token too often. A valid one is let in all the same.
    else if (key === null && [401, 429].includes(response.status)) signedOut(key);
    else if (response.status === 401) signedOut(key, await said(response));
    else sessionState.value = { kind: 'away', fault: await said(response) };
  } catch (error) {
    const fault = `The service does not answer: is it running? (${sentenceOf(error)})`;
    sessionState.value = { kind: 'away', fault };
  }
}

function who(key: string | null): Promise<Response> {
  return fetch('/v1/session', { headers: sessionHeaders(key) });
}

/** @param remember beyond the end of the browser's session */
export async function signIn(token: string, remember: boolean): Promise<void> {
  forgetKey();
  const response = await fetch('/v1/session', {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ remember }),
  });
  if (!response.ok) {
    sessionState.value = { kind: 'out', fault: await said(response) };
    return;
  }
  const { key: given, ...session } = (await response.json()) as Session & { key: string };
  (remember ? localStorage : sessionStorage).setItem(place, given);
  enter(session);
  tabs.tell(given);
}

export async function signOut(): Promise<void> {
  forgetKey();
  forgetAll();
  tabs.tell(undefined);
  sessionState.value = { kind: 'out' };
  // Without the key the cookie is worth nothing, so it is no matter if it stays.
  await fetch('/v1/session', { method: 'DELETE' }).catch(() => undefined);
}

/**
 * The service does not know the token any more.
 *
 * @param key with which it was asked: by now somebody may have signed in anew
 */
export function signedOut(key: string | null, fault?: string): void {
  if (key !== sessionKey()) return;
  forgetKey();
  sessionState.value = { kind: 'out', ...(fault !== undefined && { fault }) };
}

tabs.follow({
  key: sessionKey,
  onKey(key) {
    const isKept = localStorage.getItem(place) === key;
    sessionStorage.removeItem(place);
    if (key === undefined) {
      forgetAll();
      sessionState.value = { kind: 'out' };
      return;
    }
    if (!isKept) sessionStorage.setItem(place, key);
    // All that is shown is asked for anew: it may be somebody else.
    sessionState.value = { kind: 'loading' };
    void loadSession();
  },
});

/** Drafts outlive a session that ends by itself: whoever signs in again goes on with them. */
function enter(session: Session): void {
  const { name = '' } = session;
  const owner = sessionStorage.getItem(ownerPlace);
  if (owner !== null && owner !== name) forgetAll();
  sessionStorage.setItem(ownerPlace, name);
  sessionState.value = { kind: 'in', session };
}

function forgetAll(): void {
  sessionStorage.removeItem(ownerPlace);
  for (const forget of forgetters) forget();
}

function forgetKey(): void {
  sessionStorage.removeItem(place);
  localStorage.removeItem(place);
}

async function said(response: Response): Promise<string> {
  return (await refusalOf(response)).message;
}
