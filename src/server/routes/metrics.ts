/** Metrics for Prometheus. */

import type { FastifyInstance } from 'fastify';
import { METRICS_CONTENT_TYPE, metricsText } from '../metrics.ts';
import type { ServerParts } from '../parts.ts';

/** Adds `/metrics`. */
export function addMetrics(app: FastifyInstance, { queue, reads }: ServerParts): void {
  app.get('/metrics', async (_request, reply) => {
    const text = await reads.share('metrics', async () => await metricsText(queue));
    return await reply.type(METRICS_CONTENT_TYPE).header('cache-control', 'no-store').send(text);
  });
}
