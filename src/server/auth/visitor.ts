/** Reads from a request's headers who asks. */

import type { FastifyRequest } from 'fastify';
import type { Access, Visitor } from './access.ts';

/** Who asks; undefined when a token is needed and none that is right was shown. A wrong one is not passed over. */
export function visitorOf(request: FastifyRequest, access: Access): Visitor | undefined {
  if (!access.tokenRequired) return { role: 'write', by: 'open' };
  const given = bearerOf(request);
  if (given !== undefined) {
    const role = access.roleOf(given);
    return role === undefined ? undefined : { role, by: 'token' };
  }
  const role = access.roleOfSession(cookieOf(request, sessionCookie(request)) ?? '');
  return role === undefined ? undefined : { role, by: 'session' };
}

/** The token of an `Authorization: Bearer` header; an empty one is one too. */
export function bearerOf({ headers }: FastifyRequest): string | undefined {
  const { authorization } = headers;
  if (authorization === undefined) return undefined;
  return /^Bearer +(\S+)$/i.exec(authorization)?.[1] ?? '';
}

/** The name of the session's cookie: cookies do not tell ports apart, and each dashboard has its own. */
export function sessionCookie({ socket }: FastifyRequest): string {
  return `signalbox_${socket.localPort ?? 0}`;
}

function cookieOf({ headers }: FastifyRequest, name: string): string | undefined {
  for (const part of (headers.cookie ?? '').split(';')) {
    const at = part.indexOf('=');
    if (at > 0 && part.slice(0, at).trim() === name) return part.slice(at + 1).trim();
  }
  return undefined;
}
