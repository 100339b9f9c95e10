/** The state of the queue: counts, claims, limits, hot spots, the timeline, and who asks. */

import { readClaims } from '../../client/claims-view.ts';
import { readHot } from '../../client/hot.ts';
import { readStatus } from '../../client/views.ts';
import { claims, hot, limits, me, status, timeline } from '../contract/answers.ts';
import { hotQuery, repoQuery, timelineQuery } from '../contract/asked.ts';
import { type Endpoint, endpoint, Serialized } from '../http/endpoint.ts';
import type { ServerParts } from '../parts.ts';
import { readTimeline } from '../timeline.ts';
import { identityOf } from './repositories.ts';

const TIMELINE_MS = 3_600_000;
/** What is dear to read and asked for every few seconds by every page that is open. */
const TIMELINE_KEPT_MS = 1_000;
const HOT_KEPT_MS = 5_000;

/** The endpoints of the queue that only look. */
export function queueEndpoints(parts: ServerParts): Endpoint[] {
  return [statusOf(parts), claimsOf(parts), hotOf(parts), limitsOf(parts), timelineOf(parts), meOf(parts)];
}

function statusOf({ queue, reads }: ServerParts): Endpoint {
  return endpoint({
    method: 'GET',
    path: '/status',
    name: 'status',
    role: 'read',
    tag: 'queue',
    summary: 'Counts by state, the cap, the workers, and what runs.',
    answer: { json: status },
    handle: async () => await reads.share('status', async () => new Serialized(await readStatus(queue))),
  });
}

function claimsOf({ box, queue, reads }: ServerParts): Endpoint {
  return endpoint({
    method: 'GET',
    path: '/claims',
    name: 'claims',
    role: 'read',
    tag: 'queue',
    summary: 'What is held, by whom, and who waits for it.',
    query: repoQuery,
    answer: { json: claims },
    handle: async ({ query: { repo } }) => {
      const key = repo === undefined ? undefined : await identityOf(box, repo);
      return await reads.share(`claims ${key ?? ''}`, async () => new Serialized(await readClaims(queue, key)));
    },
  });
}

function hotOf({ box, queue, reads }: ServerParts): Endpoint {
  return endpoint({
    method: 'GET',
    path: '/hot',
    name: 'hotSpots',
    role: 'read',
    tag: 'queue',
    summary: 'What the kept tasks have waited for longest; up to a few seconds old.',
    query: hotQuery,
    answer: { json: hot },
    handle: async ({ query: { repo, limit } }) => {
      const repoKey = repo === undefined ? undefined : await identityOf(box, repo);
      const key = `hot ${JSON.stringify([repoKey, limit])}`;
      return await reads.keep(key, HOT_KEPT_MS, async () => new Serialized(await readHot(queue, { repoKey, limit })));
    },
  });
}

function limitsOf({ box }: ServerParts): Endpoint {
  return endpoint({
    method: 'GET',
    path: '/limits',
    name: 'limits',
    role: 'read',
    tag: 'queue',
    summary: 'The limits in force, by name.',
    answer: { json: limits },
    handle: async () => ({ limits: await box.limits() }),
  });
}

function timelineOf({ queue, reads }: ServerParts): Endpoint {
  return endpoint({
    method: 'GET',
    path: '/timeline',
    name: 'timeline',
    role: 'read',
    tag: 'queue',
    summary:
      'Who ran what when: the newest run of each task that runs or has ended since, at most 500, those that ended last; up to a second old.',
    query: timelineQuery,
    answer: { json: timeline },
    handle: async ({ query }) => {
      const until = query.until ?? Date.now();
      const since = query.since ?? until - TIMELINE_MS;
      // The same window for all who ask within a second.
      const key = `timeline ${Math.floor(since / 1_000)} ${query.until === undefined ? '' : Math.floor(until / 1_000)}`;
      const read = async (): Promise<Serialized> => new Serialized(await readTimeline(queue, { since, until }));
      return await reads.keep(key, TIMELINE_KEPT_MS, read);
    },
  });
}

function meOf({ access, box, version }: ServerParts): Endpoint {
  return endpoint({
    method: 'GET',
    path: '/me',
    name: 'me',
    role: 'read',
    tag: 'dashboard',
    summary: 'Who asks, and what they may do. `open`: no token is set, and everybody may do everything.',
    answer: { json: me },
    handle: async ({ request: { visitor } }) => ({
      role: visitor?.by === 'open' ? 'open' : visitor?.role,
      tokenRequired: access.tokenRequired,
      version,
      queue: box.config.queue,
    }),
  });
}
