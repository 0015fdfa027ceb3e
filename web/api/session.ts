import { signal } from '@preact/signals';
import { refusalOf, sentenceOf } from './problem.js';

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

/**
 * Half of what stands for the token: the other half is a cookie that no script can read. One is of
 * no use without the other.
 */
function key(): string | null {
  return sessionStorage.getItem(place) ?? localStorage.getItem(place);
}

export function sessionHeaders(): Record<string, string> {
  const current = key();
  return current === null ? {} : { 'scriptd-session': current };
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
    const response = await fetch('/v1/session', { headers: sessionHeaders() });
    if (response.ok) sessionState.value = { kind: 'in', session: await response.json() };
    else if (response.status === 401) signedOut(key() === null ? undefined : await said(response));
    else sessionState.value = { kind: 'away', fault: await said(response) };
  } catch (error) {
    const fault = `The service does not answer: is it running? (${sentenceOf(error)})`;
    sessionState.value = { kind: 'away', fault };
  }
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
  sessionState.value = { kind: 'in', session };
}

export async function signOut(): Promise<void> {
  forgetKey();
  await fetch('/v1/session', { method: 'DELETE' });
  sessionState.value = { kind: 'out' };
}

/** The service does not know the token any more. */
export function signedOut(fault?: string): void {
  forgetKey();
  sessionState.value = { kind: 'out', ...(fault !== undefined && { fault }) };
}

function forgetKey(): void {
  sessionStorage.removeItem(place);
  localStorage.removeItem(place);
}

async function said(response: Response): Promise<string> {
  return (await refusalOf(response)).message;
}
