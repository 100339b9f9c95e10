/** `/login` and `/logout`: a token shown once for a session in a cookie. */

import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { type Access, SESSION_MS } from './access.ts';
import type { FailedAttempts } from './attempts.ts';
import { countWrong, refuseOtherPages } from './gate.ts';
import { LOGIN_POLICY, loginPage, ownPath } from './login-page.ts';
import { sessionCookie } from './visitor.ts';

const FORM = 'application/x-www-form-urlencoded';
const FORM_BYTES = 8 * 1024;

/** Adds both routes. */
export function addLogin(
  app: FastifyInstance,
  { access, attempts }: { readonly access: Access; readonly attempts: FailedAttempts },
): void {
  void app.register(async (scope) => {
    scope.addContentTypeParser(FORM, { parseAs: 'string', bodyLimit: FORM_BYTES }, (_request, body, done) =>
      done(null, new URLSearchParams(String(body))),
    );
    scope.get('/login', { config: { role: 'anyone' } }, async (_request, reply) =>
      access.tokenRequired ? await sendLogin(reply, { status: 200, next: '/' }) : await reply.redirect('/', 303),
    );
    scope.post('/login', { config: { role: 'anyone' } }, async (request, reply) => {
      refuseOtherPages(request, null);
      const form = request.body instanceof URLSearchParams ? request.body : new URLSearchParams();
      const next = ownPath(form.get('next') ?? '/');
      const role = access.roleOf(form.get('token')?.trim() ?? '');
      if (role === undefined) {
        countWrong(attempts, request.ip);
        return await sendLogin(reply, { status: 401, next, problem: 'This token is not right.' });
      }
      const seconds = Math.floor(SESSION_MS / 1_000);
      void reply.header('set-cookie', cookie(request, access.newSession(role), seconds));
      return await reply.redirect(next, 303);
    });
    scope.post('/logout', { config: { role: 'anyone' } }, async (request, reply) => {
      refuseOtherPages(request, null);
      void reply.header('set-cookie', cookie(request, '', 0));
      return await reply.redirect('/', 303);
    });
  });
}

/** Answers with the form. */
export async function sendLogin(
  reply: FastifyReply,
  { status, ...page }: { readonly status: number; readonly next: string; readonly problem?: string },
): Promise<FastifyReply> {
  return await reply
    .code(status)
    .type('text/html; charset=utf-8')
    .header('content-security-policy', LOGIN_POLICY)
    .header('cache-control', 'no-store')
    .send(loginPage(page));
}

/** Scripts cannot read it and other sites' requests do not carry it. */
function cookie(request: FastifyRequest, value: string, seconds: number): string {
  const secure = request.headers.origin?.startsWith('https:') === true ? '; Secure' : '';
  return `${sessionCookie(request)}=${value}; Path=/; Max-Age=${seconds}; HttpOnly; SameSite=Strict${secure}`;
}
