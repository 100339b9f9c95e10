/** Whether the process is up, and whether tasks are being taken. */

import type { FastifyInstance } from 'fastify';

/** Adds `/healthz`. It is for whoever starts this process again, and tells nothing that others may not know. */
export function addHealth(app: FastifyInstance): void {
  app.get('/healthz', { config: { role: 'anyone' } }, async (_request, reply) => {
    void reply.header('cache-control', 'no-store');
    return { ok: true };
  });
}
