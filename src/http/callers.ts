import { AsyncLocalStorage } from 'node:async_hooks';
import { invariant } from '../invariant.js';
import type { Rights } from './scopes.js';

const callers = new AsyncLocalStorage<Rights>();

/** Runs what serves a request on behalf of whoever asks. */
export function onBehalfOf(caller: Rights, serve: () => void): void {
  callers.run(caller, serve);
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
