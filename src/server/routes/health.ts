/** Whether the process is up, and whether tasks are being taken. */

import type { FastifyInstance } from 'fastify';
import type { ServerParts } from '../parts.ts';
import { HttpProblem } from '../problems.ts';
import { type Readiness, readReadiness } from '../readiness.ts';

/** Whoever asks more often gets the same answer, so that the queue is not filled with canaries. */
const READY_KEPT_MS = 2_000;

/** Adds `/healthz`, which tells nothing that others may not know, and `/readyz`. */
export function addHealth(app: FastifyInstance, { queue, reads }: ServerParts): void {
  app.get('/healthz', { config: { role: 'anyone' } }, async (_request, reply) => {
    void reply.header('cache-control', 'no-store');
    return { ok: true };
  });
  app.get('/readyz', async (_request, reply) => {
    void reply.header('cache-control', 'no-store');
    const found = await reads.keep('ready', READY_KEPT_MS, async () => await readReadiness(queue));
    if (!found.ready) throw notReady(found);
    return found;
  });
}

function notReady({ canary, workers }: Readiness): HttpProblem {
  if (canary === 'no_worker') {
    return new HttpProblem('NOT_READY', 'No worker is running.', { next: 'Start one with `signalbox worker`.' });
  }
  return new HttpProblem(
    'NOT_READY',
    `${workers} workers are registered, and none takes a job though slots are free.`,
    {
      next: 'Look into the logs of the workers, and start them again one after the other.',
    },
  );
}
