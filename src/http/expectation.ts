import type { IncomingMessage, ServerResponse } from 'node:http';
import type { FastifyInstance } from 'fastify';
import { Problem } from './problem.js';

/** Requests whose client waits to be told before it sends the body. */
const waiting = new WeakMap<IncomingMessage, ServerResponse>();
/** Requests that expect something else. */
const unmet = new WeakSet<IncomingMessage>();

/**
 * A client that asks first is told to send its body only once somebody wants it: it learns of a
 * missing token, or of a body that is too large, without having sent that.
 *
 * Source: RFC 9110, 10.1.1
 */
export function answerExpectations(app: FastifyInstance): void {
  app.server.on('checkContinue', (request, response) => {
    waiting.set(request, response);
    app.routing(request, response);
  });
  app.server.on('checkExpectation', (request, response) => {
    unmet.add(request);
    app.routing(request, response);
  });
}

/** Somebody is about to read the body. */
export function sendContinue(request: IncomingMessage): void {
  waiting.get(request)?.writeContinue();
  waiting.delete(request);
}

/** @throws Problem BAD_REQUEST, with status 417. */
export function refuseUnmet(request: IncomingMessage): void {
  if (!unmet.has(request)) return;
  const detail = 'the header Expect says more than 100-continue, which is all that is known here';
  throw new Problem(417, 'BAD_REQUEST', detail);
}
