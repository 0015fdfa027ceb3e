import { invariant } from '../invariant.js';
import { problem } from './problem.js';

/** What a token may be for. `admin` includes the others. */
export const scopes = ['submit', 'read', 'admin'] as const;
export type Scope = (typeof scopes)[number];

/** Who may use a route where there are tokens. */
export type Need =
  /** Everybody, without a token. */
  | 'open'
  /** Whoever has a token, of whatever scope. */
  | 'token'
  | Scope
  /** The scope `read`, of a token that is not bound to a group: it shows what is of all groups. */
  | 'read-all';

/**
 * Every route, and who may use it. HEAD goes with GET; a row that ends in `*` holds for all paths
 * that begin so. A route without a row is not served at all: the daemon does not start with it.
 */
const needs: Readonly<Record<string, Need>> = {
  // The page, which a browser needs before it has a token; it is the same for everybody.
  'GET /': 'open',
  'GET /assets/*': 'open',
  'GET /healthz': 'open',
  'GET /readyz': 'open',
  // The same for every installation, and read by a browser, which has no token.
  'GET /openapi.json': 'open',
  'GET /docs': 'open',
  'GET /docs/*': 'open',
  'GET /execute': 'submit',
  'POST /execute': 'submit',
  'GET /v1/tasks': 'read',
  'POST /v1/tasks': 'submit',
  'POST /v1/tasks/batch': 'submit',
  'GET /v1/tasks/events': 'read',
  'GET /v1/tasks/:id': 'read',
  'GET /v1/tasks/:id/stdout': 'read',
  'GET /v1/tasks/:id/stderr': 'read',
  'GET /v1/tasks/:id/script': 'read',
  'GET /v1/tasks/:id/spec': 'read',
  'GET /v1/tasks/:id/explain': 'read',
  'GET /v1/tasks/:id/events': 'read',
  'GET /v1/tasks/:id/webhooks': 'read',
  'POST /v1/tasks/:id/webhooks/redeliver': 'submit',
  'POST /v1/tasks/:id/cancel': 'submit',
  'POST /v1/tasks/:id/retry': 'submit',
  'GET /v1/overview': 'read',
  'GET /v1/overview/events': 'read',
  'GET /v1/workers': 'read',
  'POST /v1/workers/:id/drain': 'admin',
  'GET /v1/queues': 'read',
  'POST /v1/queues/:type/pause': 'admin',
  'POST /v1/queues/:type/resume': 'admin',
  'GET /v1/schedules': 'read-all',
  'POST /v1/schedules': 'admin',
  'GET /v1/schedules/:id': 'read-all',
  'PUT /v1/schedules/:id': 'admin',
  'POST /v1/schedules/:id/enable': 'admin',
  'POST /v1/schedules/:id/disable': 'admin',
  'POST /v1/schedules/:id/run': 'admin',
  'DELETE /v1/schedules/:id': 'admin',
  'GET /v1/tokens': 'admin',
  'POST /v1/tokens': 'admin',
  'DELETE /v1/tokens/:id': 'admin',
  'GET /v1/session': 'token',
  'POST /v1/session': 'token',
  'DELETE /v1/session': 'open',
  'GET /metrics': 'admin',
  'GET /debug/*': 'admin',
  'POST /debug/*': 'admin',
};

const families = Object.entries(needs).flatMap(([row, need]) =>
  row.endsWith('*') ? [[row.slice(0, -1), need] as const] : [],
);

/**
 * What a route needs, by its own notation, e.g. `GET /v1/tasks/:id`. It must have a row, and all of its
 * methods the same.
 */
export function needOf(methods: string | readonly string[], path: string): Need {
  const [need, ...others] = new Set([methods].flat().map((method) => rowOf(method, path)));
  invariant(need && others.length === 0, `the methods of ${path} have different rows in scopes.ts`);
  return need;
}

function rowOf(method: string, path: string): Need {
  const route = `${method === 'HEAD' ? 'GET' : method} ${path}`;
  const need = needs[route] ?? families.find(([start]) => route.startsWith(start))?.[1];
  invariant(need, `the route ${route} has no row in scopes.ts: who may use it?`);
  return need;
}

/** The token of a request, as far as it decides what the request may do. */
export interface Rights {
  name: string;
  scopes: readonly Scope[];
  /** The only group whose tasks it may submit, see and end; undefined: every one's. */
  group?: string | undefined;
}

/**
 * Refuses what a token is not for.
 *
 * Source: RFC 6750, section 3.1
 * @throws Problem INSUFFICIENT_SCOPE, GROUP_NOT_ALLOWED.
 */
export function requireRights(rights: Rights, need: Need): void {
  if (need === 'open' || need === 'token') return;
  const scope = need === 'read-all' ? 'read' : need;
  if (!rights.scopes.includes(scope) && !rights.scopes.includes('admin')) {
    throw problem(
      'INSUFFICIENT_SCOPE',
      `this asks for a token of scope ${scope}, and the token ${rights.name} ` +
        `has ${rights.scopes.join(', ')}`,
      { scope },
      {
        'www-authenticate': `Bearer realm="scriptd", error="insufficient_scope", scope="${scope}"`,
      },
    );
  }
  if (need === 'read-all' && rights.group !== undefined) {
    const detail = `this shows what is of all groups, and the token ${rights.name} is bound to one`;
    throw problem('GROUP_NOT_ALLOWED', detail);
  }
}
