import { AsyncLocalStorage, AsyncResource } from 'node:async_hooks';
import { invariant } from '../invariant.js';
import type { Rights } from './scopes.js';

const callers = new AsyncLocalStorage<() => Rights>();

/**
 * Runs what serves a request on behalf of whoever asks.
 *
 * @param rights gives the caller's rights as they are then, or throws
 */
export function onBehalfOf(rights: () => Rights, serve: () => void): void {
  callers.run(rights, serve);
}

/** The function, on behalf of whoever it is asked for now, whenever it is called. */
export function onSameBehalf<Args extends unknown[], Answer>(
  ask: (...args: Args) => Answer,
): (...args: Args) => Answer {
  return AsyncResource.bind(ask);
}

/**
 * On whose behalf this runs. There must be somebody: what has lost its caller, or never had one, may
 * do nothing that a caller has to be allowed. A request may go on for long: its caller has the rights
 * that there are by now.
 *
 * @throws Problem UNAUTHORIZED, INSUFFICIENT_SCOPE, GROUP_NOT_ALLOWED.
 */
export function currentCaller(): Rights {
  const rights = callers.getStore();
  invariant(rights, 'nobody is known on whose behalf this is asked of the controller');
  return rights();
}
