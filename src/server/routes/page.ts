/** The page: its built files, and its front for every address that a browser may be sent to. */

import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import fastifyStatic from '@fastify/static';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { HttpProblem } from '../problems.ts';

/** A year, since the names of files change with what is in them. */
const ASSET_CACHE = 'public, max-age=31536000, immutable';

/** Adds the page's files, and answers all that is not found. */
export function addPage(app: FastifyInstance, pageDir: string): void {
  const assets = join(pageDir, 'assets');
  if (existsSync(assets)) {
    void app.register(fastifyStatic, {
      root: assets,
      prefix: '/assets/',
      index: false,
      cacheControl: false,
      dotfiles: 'ignore',
      setHeaders: (response) => void response.header('cache-control', ASSET_CACHE),
    });
  }
  app.get('/', async (_request, reply) => await sendPage(reply, pageDir));
  app.setNotFoundHandler(async (request, reply) => {
    if (wantsPage(request)) return await sendPage(reply, pageDir);
    throw new HttpProblem('NO_SUCH_ADDRESS', `There is nothing at ${request.method} ${pathOf(request)}.`, {
      next: 'See /api/v1/openapi.json for what there is.',
    });
  });
}

/** Whether a browser asks for a document; what a program asks for is not found. */
function wantsPage(request: FastifyRequest): boolean {
  if (request.method !== 'GET' || /^\/(?:api|assets|queues|metrics|healthz|readyz)(?:\/|$)/.test(pathOf(request)))
    return false;
  return request.headers.accept?.includes('text/html') === true;
}

function pathOf(request: FastifyRequest): string {
  return request.url.split('?', 1)[0] ?? '';
}

async function sendPage(reply: FastifyReply, pageDir: string): Promise<FastifyReply> {
  const html = await readFile(join(pageDir, 'index.html'), 'utf8').catch(() => undefined);
  void reply.type('text/html; charset=utf-8').header('cache-control', 'no-cache');
  return await reply.send(html ?? NOT_BUILT);
}

const NOT_BUILT = `<!doctype html><html lang="en"><meta charset="utf-8"><title>Signalbox</title>
<h1>Signalbox</h1><p>The page is not built. The API is at <a href="/api/v1/status">/api/v1</a>, the queue at <a href="/queues">/queues</a>.</p></html>
`;
