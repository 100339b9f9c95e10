/** The whole HTTP API, as endpoints and as its OpenAPI document. */

import type { Endpoint } from './http/endpoint.ts';
import { openapi } from './openapi.ts';
import type { ServerParts } from './parts.ts';
import { downloadEndpoints } from './routes/downloads.ts';
import { eventEndpoints } from './routes/events.ts';
import { logsEndpoint } from './routes/logs.ts';
import { queueEndpoints } from './routes/queue.ts';
import { steeringEndpoints } from './routes/steering.ts';
import { taskEndpoints } from './routes/tasks.ts';

/** All endpoints, in the order of the document. */
export function allEndpoints(parts: ServerParts): Endpoint[] {
  const all: Endpoint[] = [
    ...taskEndpoints(parts),
    logsEndpoint(parts),
    ...downloadEndpoints(parts),
    ...steeringEndpoints(parts),
    ...queueEndpoints(parts),
    ...eventEndpoints(parts, () => all),
  ];
  return all;
}

/** The document by itself: what the endpoints work with is needed only once one is asked. */
export function apiDocument(version: string): Record<string, unknown> {
  return openapi(allEndpoints({} as ServerParts), version);
}
