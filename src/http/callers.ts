import { AsyncLocalStorage, AsyncResource } from 'node:async_hooks';
import { invariant } from '../invariant.js';
import type { Rights } from './scopes.js';

const callers = new AsyncLocalStorage<Rights>();

/** Runs what serves a request on behalf of whoever asks. */
export function onBehalfOf(caller: Rights, serve: () => void): void {
  callers.run(caller, serve);
}

/** The function, on behalf of whoever it is asked for now, whenever it is called. */
export function onSameBehalf<Args extends unknown[], Answer>(
  ask: (...args: Args) => Answer,
): (...args: Args) => Answer {
  return AsyncResource.bind(ask);
}

/**
 * On whose behalf this runs. There must be somebody: what has lost its caller, or never had one, may
 * do nothing that a caller has to be allowed.
 */
export function currentCaller(): Rights {
  const caller = callers.getStore();
  invariant(caller, 'nobody is known on whose behalf this is asked of the controller');
  return caller;
}
