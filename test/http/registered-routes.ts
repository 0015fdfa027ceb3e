import diagnostics from 'node:diagnostics_channel';
import type { FastifyInstance } from 'fastify';

export interface Registered {
  method: string;
  /** As the route has it, e.g. `/v1/tasks/:id`. */
  path: string;
}

/**
 * Every route that servers register from now on, those that only refuse a method aside. Told by
 * Fastify itself, so that none is missed.
 */
export function watchRoutes(): { routes: Registered[]; stop(): void } {
  const routes: Registered[] = [];
  const listen = (message: unknown) => {
    const { fastify } = message as { fastify: FastifyInstance };
    fastify.addHook('onRoute', ({ method, url, config }) => {
      // They bring their need with them: there is no row for them.
      if (config?.need !== undefined) return;
      for (const one of [method].flat()) routes.push({ method: one, path: url });
    });
  };
  diagnostics.subscribe('fastify.initialization', listen);
  return { routes, stop: () => void diagnostics.unsubscribe('fastify.initialization', listen) };
}
