/** The fastify app: everything that answers a request, behind one gate. */

import helmet from '@fastify/helmet';
import { type FastifyInstance, type FastifyReply, type FastifyRequest, fastify } from 'fastify';
import { allEndpoints } from './api.ts';
import { FailedAttempts } from './auth/attempts.ts';
import { addGate } from './auth/gate.ts';
import { addLogin, sendLogin } from './auth/login.ts';
import { addEndpoints } from './http/endpoint.ts';
import type { ServerParts } from './parts.ts';
import { HttpProblem, PROBLEM_TYPE, problemOf } from './problems.ts';
import { addBoard } from './routes/board.ts';
import { addHealth } from './routes/health.ts';
import { addMetrics } from './routes/metrics.ts';
import { addPage } from './routes/page.ts';

/** What a page may do: only what it brought along itself. */
const POLICY = {
  'default-src': ["'none'"],
  'script-src': ["'self'"],
  'style-src': ["'self'"],
  'img-src': ["'self'", 'data:'],
  'font-src': ["'self'"],
  'connect-src': ["'self'"],
  'manifest-src': ["'self'"],
  'base-uri': ["'none'"],
  'form-action': ["'self'"],
  'frame-ancestors': ["'none'"],
};

const BODY_BYTES = 64 * 1024;

/** Makes the app; it does not listen yet. `isLocal`: it will be reached by loopback alone. */
export async function createApp(
  parts: ServerParts,
  { isLocal }: { readonly isLocal: boolean },
): Promise<FastifyInstance> {
  const { access, logger, pageDir } = parts;
  const answerError = async (error: unknown, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
    const problem = problemOf(error);
    if (problem.status >= 500 && problem.code !== 'NOT_READY')
      logger.error({ err: error, method: request.method, route: request.routeOptions.url }, 'a request failed');
    if (error instanceof HttpProblem) void reply.headers(error.headers);
    if (problem.code === 'UNAUTHORIZED' && wantsLogin(request.headers.accept, request.method))
      return await sendLogin(reply, { status: 401, next: request.url });
    return await reply
      .code(problem.status)
      .type(PROBLEM_TYPE)
      .header('cache-control', 'no-store')
      .send(JSON.stringify(problem));
  };
  const app = fastify({
    bodyLimit: BODY_BYTES,
    // Names of prototypes are refused with the rest of what is no plain data, by name.
    onProtoPoisoning: 'ignore',
    onConstructorPoisoning: 'ignore',
    // Streams are ended by the hub; a client that keeps its connection open must not hold up a stop.
    forceCloseConnections: true,
    routerOptions: { maxParamLength: 256 },
    // What no route can be found for comes past the gate, and is no secret: an address that cannot be read.
    frameworkErrors: (error, request, reply) => void answerError(error, request, reply),
  });
  // A form of another page can send text that is JSON, and no browser would ask before.
  app.removeContentTypeParser('text/plain');
  const attempts = new FailedAttempts();
  await app.register(helmet, {
    contentSecurityPolicy: { useDefaults: false, directives: POLICY },
    // It may be spoken to without TLS, on loopback; a proxy that adds TLS adds this too.
    strictTransportSecurity: false,
    // Under `no-referrer` a browser would send the login form as from nowhere.
    referrerPolicy: { policy: 'same-origin' },
  });
  addGate(app, { access, attempts, isLocal, refuse: answerError });
  app.setErrorHandler(answerError);
  addLogin(app, { access, attempts });
  addHealth(app, parts);
  addMetrics(app, parts);
  await addBoard(app, parts, answerError);
  addEndpoints(app, '/api/v1', allEndpoints(parts));
  addPage(app, pageDir);
  return app;
}

function wantsLogin(accept: string | undefined, method: string): boolean {
  return method === 'GET' && accept?.includes('text/html') === true;
}
