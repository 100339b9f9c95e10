/** Changes of state as they happen, and the API's own description. */

import { z } from 'zod';
import { type Endpoint, endpoint, Serialized } from '../http/endpoint.ts';
import { openapi } from '../openapi.ts';
import type { ServerParts } from '../parts.ts';

/** The endpoints about the API itself; `all` are those that it describes. */
export function eventEndpoints({ hub, version }: ServerParts, all: () => readonly Endpoint[]): Endpoint[] {
  let document: Serialized | undefined;
  return [
    endpoint({
      method: 'GET',
      path: '/events',
      name: 'events',
      role: 'read',
      tag: 'queue',
      summary:
        'Server-sent events: `state` with `{id,state,code,at}` for each change, `reconnected` when some may have been missed. Who reads too slowly is disconnected.',
      answer: { media: 'text/event-stream', description: 'Events, for as long as the connection lasts.' },
      problems: ['TOO_MANY_LISTENERS'],
      handle: async ({ request, reply }) => await hub.listen({ request, reply }),
    }),
    endpoint({
      method: 'GET',
      path: '/openapi.json',
      name: 'openapi',
      role: 'read',
      tag: 'dashboard',
      summary: 'This description.',
      answer: { json: z.record(z.string(), z.unknown()) },
      handle: async () => {
        document ??= new Serialized(openapi(all(), version));
        return document;
      },
    }),
  ];
}
