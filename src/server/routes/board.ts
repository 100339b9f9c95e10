/** Bull Board at `/queues`: BullMQ's jobs, to look at only. */

import { createBullBoard } from '@bull-board/api';
import { FastifyAdapter } from '@bull-board/fastify';
import type { FastifyInstance } from 'fastify';
import { SignalboxError } from '../../errors.ts';
import type { GateOptions } from '../auth/gate.ts';
import type { ServerParts } from '../parts.ts';

const PATH = '/queues';

/** It brings styles within its page; its scripts are files. Fonts from elsewhere are not loaded. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "font-src 'self'",
  "connect-src 'self'",
  "base-uri 'self'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** Adds the board. */
export async function addBoard(
  app: FastifyInstance,
  { queue, box }: Pick<ServerParts, 'queue' | 'box'>,
  refuse: GateOptions['refuse'],
): Promise<void> {
  const adapter = new FastifyAdapter();
  createBullBoard({
    queues: [await queue.bull.board()],
    serverAdapter: adapter,
    options: { uiConfig: { boardTitle: `Signalbox: ${box.config.queue}`, hideRedisDetails: true } },
  });
  adapter.setBasePath(PATH);
  await app.register(async (scope) => {
    scope.addHook('onRequest', async (request, reply) => {
      void reply.header('content-security-policy', POLICY);
      if (request.method === 'GET' || request.method === 'HEAD') return undefined;
      // It knows jobs and not tasks: what it does to one would not be in the task's record.
      const next = 'Steer tasks by the page, the API or the command line.';
      return await refuse(
        new SignalboxError('FORBIDDEN', 'Jobs can only be looked at here.', { next }),
        request,
        reply,
      );
    });
    await scope.register(adapter.registerPlugin(), { prefix: PATH });
  });
}
