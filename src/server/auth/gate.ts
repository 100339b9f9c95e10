/**
 * The gate that every request passes before anything else is done with it: the right host, a token where one is set, the
 * right role, and for what changes something the proof that no other page has sent it.
 */

import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { SignalboxError } from '../../errors.ts';
import { HttpProblem } from '../problems.ts';
import type { Access, Role, Visitor } from './access.ts';
import type { FailedAttempts } from './attempts.ts';
import { isLocalHost, originOf } from './origin.ts';
import { bearerOf, visitorOf } from './visitor.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** What one must be allowed to do here; `anyone`: not even a token is needed. Default: read. */
    role?: Role | 'anyone';
  }
  interface FastifyRequest {
    /** Who asks; null where that does not matter. */
    visitor: Visitor | null;
  }
}

/** What the gate goes by. */
export interface GateOptions {
  readonly access: Access;
  readonly attempts: FailedAttempts;
  /** Whether it is bound to loopback, where only local names are right. */
  readonly isLocal: boolean;
  /** Answers with what was thrown. */
  readonly refuse: (error: unknown, request: FastifyRequest, reply: FastifyReply) => Promise<FastifyReply>;
}

/** Puts the gate before all routes of `app`. */
export function addGate(app: FastifyInstance, { access, attempts, isLocal, refuse }: GateOptions): void {
  app.decorateRequest('visitor', null);
  app.addHook('onRequest', async (request, reply) => {
    try {
      pass(request, { access, attempts, isLocal });
      return undefined;
    } catch (error) {
      // Answered here, since a part of the app may have an error handler of its own.
      return await refuse(error, request, reply);
    }
  });
}

function pass(request: FastifyRequest, { access, attempts, isLocal }: Omit<GateOptions, 'refuse'>): void {
  if (isLocal && !isLocalHost(request.headers.host)) throw wrongHost();
  const { role = 'read' } = request.routeOptions.config;
  if (role === 'anyone') return;
  const visitor = admitted(request, { access, attempts });
  request.visitor = visitor;
  if (changesSomething(request)) refuseOtherPages(request, visitor);
  if (role === 'write' && visitor.role !== 'write') throw onlyLooks();
}

/** Who asks. Throws UNAUTHORIZED, or TOO_MANY_ATTEMPTS to whom has guessed too often. */
function admitted(request: FastifyRequest, { access, attempts }: Pick<GateOptions, 'access' | 'attempts'>): Visitor {
  const visitor = visitorOf(request, access);
  // A right one is let in whatever else came from its address, which may be that of a proxy before all programs.
  if (visitor !== undefined) return visitor;
  const shows = bearerOf(request) !== undefined && access.tokenRequired;
  if (shows) countWrong(attempts, request.ip);
  throw new HttpProblem('UNAUTHORIZED', shows ? 'The token is not right.' : 'A token is needed.', {
    next: 'Send `Authorization: Bearer TOKEN` with the SIGNALBOX_TOKEN or SIGNALBOX_READ_TOKEN of the dashboard.',
    headers: { 'www-authenticate': 'Bearer realm="signalbox"' },
  });
}

/** Counts a wrong token. Throws TOO_MANY_ATTEMPTS to an address that has tried too many. */
export function countWrong(attempts: FailedAttempts, address: string): void {
  const waitMs = attempts.waitMs(address);
  if (waitMs <= 0) return attempts.failed(address);
  const seconds = Math.ceil(waitMs / 1_000);
  throw new HttpProblem('TOO_MANY_ATTEMPTS', 'Too many wrong tokens came from this address.', {
    next: `Try again in ${seconds} s.`,
    headers: { 'retry-after': String(seconds) },
  });
}

/** Throws CROSS_ORIGIN for what a page of another origin has sent, and for what a session has sent without proof. */
export function refuseOtherPages(request: FastifyRequest, visitor: Visitor | null): void {
  // Only programs send tokens by themselves: a page cannot make a browser do so.
  if (visitor?.by === 'token') return;
  const { host, origin, 'sec-fetch-site': fetchSite } = request.headers;
  const from = originOf({ host, origin, fetchSite: typeof fetchSite === 'string' ? fetchSite : undefined });
  if (from === 'same' || (from === 'none' && visitor?.by !== 'session')) return;
  throw new HttpProblem('CROSS_ORIGIN', 'This came from a page of another address, or does not say from which.', {
    next: 'Use the dashboard’s own page, or send `Authorization: Bearer TOKEN`.',
  });
}

function changesSomething({ method }: FastifyRequest): boolean {
  return method !== 'GET' && method !== 'HEAD' && method !== 'OPTIONS';
}

function onlyLooks(): SignalboxError {
  return new SignalboxError('FORBIDDEN', 'This token may only look.', {
    next: 'Use the token that may also steer (SIGNALBOX_TOKEN).',
  });
}

function wrongHost(): HttpProblem {
  return new HttpProblem('CROSS_ORIGIN', 'The Host header does not name this machine.', {
    next: 'Open it by 127.0.0.1 or localhost; a proxy in front must send one of these as Host.',
  });
}
