import { METHODS } from 'node:http';
import type { Socket } from 'node:net';
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { limits } from '../limits.js';
import type { Log } from '../log.js';
import type { Audit } from './audit.js';
import { letGo, receiveBody, refuseEncodedBody, refuseOtherCharset } from './bodies.js';
import type { BodyRoom } from './body-room.js';
import { onBehalfOf } from './callers.js';
import type { Connections } from './connections.js';
import { answerExpectations, refuseUnmet } from './expectation.js';
import type { Guard } from './guard.js';
import { readJson } from './json-reader.js';
import { httpLimits } from './limits.js';
import { originForm } from './origin.js';
import { asProblem, internalProblem, type Problem, problem } from './problem.js';
import type { RequestFigures } from './request-figures.js';
import { type Need, needOf } from './scopes.js';
import type { Token } from './tokens.js';
import type { UnsentAnswers } from './unsent.js';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Who may use the route: its row in scopes.ts. */
    need?: Need;
    /** Links of other sites may lead there: it shows what is the same for everybody, and does nothing. */
    isLinked?: true;
  }
  interface FastifyRequest {
    /** Whose token the request shows; absent where it needs none. */
    caller?: Token | undefined;
    /** Of a JSON body that was read whole. */
    bodyBytes: number;
  }
}

export interface AppOptions {
  guard: Guard;
  audit: Audit;
  /** True once the server takes no further requests. */
  isDraining: () => boolean;
  /** These three are of this port and of every other that shares its memory. */
  unsent: UnsentAnswers;
  room: BodyRoom;
  connections: Connections;
  /** Where the requests of this port are counted. */
  figures: RequestFigures;
  log: Log;
}

/**
 * A Fastify app with these routes: limits, who may come in, and every error as problem+json.
 * Queries are read by query.ts, bodies checked by task-body.ts; so Fastify's own parsing and
 * validation of them is switched off or not asked for.
 */
export function createApp(
  options: AppOptions,
  routes: (app: FastifyInstance) => void,
): FastifyInstance {
  const app = Fastify({
    logger: false,
    bodyLimit: limits.bodyBytesMax,
    // Bodies have a time of their own, each as it is read: a batch may take as long as it likes.
    requestTimeout: 0,
    keepAliveTimeout: httpLimits.keepAliveMs,
    http: {
      maxHeaderSize: httpLimits.headBytesMax,
      headersTimeout: httpLimits.headReceiveMs,
      connectionsCheckingInterval: httpLimits.headCheckMs,
      // Asked for by origin.ts, which answers with a problem.
      requireHostHeader: false,
    },
    exposeHeadRoutes: false,
    return503OnClosing: false,
    routerOptions: {
      querystringParser: () => ({}),
      maxParamLength: httpLimits.pathPartCharactersMax,
    },
    rewriteUrl: (request) => originForm(request.url ?? '/'),
    ajv: { customOptions: { coerceTypes: false, removeAdditional: false, useDefaults: false } },
    clientErrorHandler: answerBrokenRequest,
    frameworkErrors: (error, _request, reply) => {
      sendProblem(asProblem(error) ?? internalProblem(), reply);
    },
  });
  app.decorateRequest('caller', undefined);
  app.decorateRequest('bodyBytes', 0);
  answerExpectations(app);
  // Before Fastify makes anything of a request, and after all have their listeners.
  options.connections.watch(app.server);
  readJsonStrictly(app, options.room);
  // Hooks that call back, since each promise of one costs every request.
  app.addHook('onRequest', (request, reply, done) => {
    reply.header('cache-control', 'no-store').header('x-content-type-options', 'nosniff');
    const url = request.originalUrl;
    // There is no row for what is not there.
    const { need = 'token', isLinked } = request.routeOptions.config;
    request.caller = options.guard.identify(request.raw, url, need, isLinked);
    options.guard.admit(request.caller, need);
    if (url.length > limits.urlBytesMax) throw urlTooLong();
    if (options.isDraining()) throw problem('DRAINING', 'this HTTP daemon is being stopped');
    if (options.connections.requestsOf(request.raw.socket) > httpLimits.requestsAheadMax) {
      throw tooFarAhead();
    }
    // Before its body is looked at.
    if (request.is404) throw notFound(request.url);
    refuseEncodedBody(request.raw);
    refuseUnmet(request.raw);
    done();
  });
  app.addHook('preHandler', (request, _reply, done) => {
    const { caller } = request;
    if (!caller) {
      done();
      return;
    }
    const { need = 'token' } = request.routeOptions.config;
    onBehalfOf(() => options.guard.rightsNow(caller, need), done);
  });
  app.addHook('onSend', (request, reply, payload, done) => {
    if (options.isDraining()) {
      reply.header('connection', 'close');
    } else if (!request.raw.complete) {
      // Fastify would close at once, and the client find a broken connection.
      reply.removeHeader('connection');
      letGo(request.raw);
    }
    if (typeof payload === 'string' || Buffer.isBuffer(payload)) {
      options.unsent.add(reply, payload.length);
    }
    done();
  });
  const isLogged = options.log.isLevelEnabled('debug');
  app.addHook('onResponse', (request, reply, done) => {
    const { method, routeOptions } = request;
    const { statusCode: status, elapsedTime } = reply;
    options.figures.answered(method, routeOptions.url, status, elapsedTime / 1000);
    if (isLogged) {
      // Not the URL: it may hold code.
      const ms = Math.round(elapsedTime);
      options.log.debug({ method, route: routeOptions.url, status, ms }, 'request');
    }
    done();
  });
  app.setErrorHandler((error, request, reply) => {
    const known = asProblem(error);
    if (known) options.audit.note(request, known);
    else options.log.error({ err: error }, 'a request failed by a fault of ours');
    return sendProblem(known ?? internalProblem(), reply);
  });
  app.setNotFoundHandler((request) => {
    throw notFound(request.url);
  });
  app.addHook('onRoute', (route) => {
    const need = route.config?.need ?? needOf(route.method, route.url);
    route.config = { ...route.config, need };
  });
  const refuseOthers = collectRoutes(app);
  routes(app);
  // Scopes load in the order of their registration: this one after every route.
  app.register(async (scope) => refuseOthers(scope));
  return app;
}

function sendProblem(answer: Problem, reply: FastifyReply): FastifyReply {
  // Bytes, since Fastify adds to the type of text a charset that JSON does not have.
  return reply
    .code(answer.status)
    .headers(answer.headers)
    .type('application/problem+json')
    .send(Buffer.from(JSON.stringify(answer.body())));
}

/** JSON only: Fastify's own parser would mend what is not. */
function readJsonStrictly(app: FastifyInstance, room: BodyRoom): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('application/json', (request: FastifyRequest, _payload, done) => {
    refuseOtherCharset(request);
    receiveBody(request, limits.bodyBytesMax, room, (refusal, body) => {
      if (!body) {
        done(refusal);
        return;
      }
      request.bodyBytes = body.length;
      let value: unknown;
      try {
        value = readJson(body, 'the body');
      } catch (error) {
        done(error as Error);
        return;
      }
      done(null, value);
    });
  });
}

/**
 * Notes the routes that are added from now on. What it returns answers, on each of their paths, 405
 * to every method without a route, before any body is read.
 */
function collectRoutes(app: FastifyInstance): (app: FastifyInstance) => void {
  // All that Node's parser knows; CONNECT asks for a tunnel, and its connection is closed.
  const methods = METHODS.filter((method) => method !== 'CONNECT');
  for (const method of methods) {
    if (!app.supportedMethods.includes(method)) app.addHttpMethod(method);
  }
  const routed = new Map<string, Set<string>>();
  app.addHook('onRoute', ({ url, method }) => {
    const known = routed.get(url) ?? new Set();
    for (const name of [method].flat()) known.add(name.toUpperCase());
    routed.set(url, known);
  });
  return (scope) => {
    for (const [url, known] of [...routed]) {
      const others = methods.filter((method) => !known.has(method));
      const allow = [...known].sort().join(', ');
      const refuse = async () => {
        throw problem('METHOD_NOT_ALLOWED', `this path takes only ${allow}`, {}, { allow });
      };
      const config = { need: 'token', undocumented: true } as const;
      scope.route({ method: others, url, config, onRequest: refuse, handler: refuse });
    }
  };
}

function notFound(url: string): Problem {
  const path = url.split('?', 1)[0]?.slice(0, 256);
  return problem('NOT_FOUND', `there is nothing at ${path}; GET / says what there is`);
}

function tooFarAhead(): Problem {
  const most = httpLimits.requestsAheadMax;
  const detail = `${most} requests of this connection are not answered: read their answers first`;
  return problem('OVERLOADED', detail);
}

function urlTooLong(): Problem {
  const detail = `the URL is longer than ${limits.urlBytesMax} bytes`;
  return problem('URL_TOO_LONG', `${detail}; send long code as the body of POST /execute`);
}

/** Answers what never became a request: no HTTP, too large a head, too slow. */
function answerBrokenRequest(error: NodeJS.ErrnoException, socket: Socket): void {
  const answer = asProblem(error);
  if (!answer || !socket.writable) {
    socket.destroy();
    return;
  }
  const body = JSON.stringify(answer.body());
  socket.end(
    [
      `HTTP/1.1 ${answer.status} ${answer.body().title}`,
      'Content-Type: application/problem+json',
      `Content-Length: ${Buffer.byteLength(body)}`,
      'Connection: close',
      '',
      body,
    ].join('\r\n'),
  );
}
