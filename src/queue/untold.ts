/**
 * What webhooks are still to be told. The script that ends a task notes it (`finish.lua`), so that the death of whoever
 * ended it loses nothing; whoever has sent the messages takes the note away.
 */

import type { Connection } from '../redis/connect.ts';
import type { Keys } from '../redis/keys.ts';

/** Where to read. */
interface Place {
  readonly redis: Connection;
  readonly keys: Keys;
}

/** A task that has been blocked for long. */
export interface LongBlocked {
  readonly id: string;
  /** Since when, in ms by Redis' clock. */
  readonly since: number;
}

/** What ended longer ago is old news: it was noted while nobody was there to tell it. */
const NEWS_MS = 86_400_000;
/** How long a message about a blocked task is remembered. */
const TOLD_MS = 7 * 86_400_000;
const LIMIT = 1_000;

/** Has ends noted from now on. */
export async function noteEnds({ redis, keys }: Place): Promise<void> {
  await redis.hset(keys.all('meta'), 'webhooks', 1);
}

/** Whether this caller shall look now: of all workers, one a second. */
export async function isMyTurn({ redis, keys }: Place, everyMs: number): Promise<boolean> {
  return (await redis.set(keys.all('notifying'), '1', 'PX', everyMs, 'NX')) !== null;
}

/** Tasks that have ended and were not told, oldest first. */
export async function untold(place: Place): Promise<string[]> {
  const { redis, keys } = place;
  await redis.zremrangebyscore(keys.all('untold'), '-inf', String((await nowMs(place)) - NEWS_MS));
  return await redis.zrange(keys.all('untold'), '0', String(LIMIT - 1));
}

/** Notes that these were told. */
export async function told({ redis, keys }: Place, ids: readonly string[]): Promise<void> {
  if (ids.length > 0) await redis.zrem(keys.all('untold'), ...ids);
}

/** Tasks that have been blocked for longer than `afterMs`, without those that were told, among the 1,000 oldest. */
export async function longBlocked(place: Place, afterMs: number): Promise<LongBlocked[]> {
  const { redis, keys } = place;
  const ids = await redis.zrange(keys.key('state', 'blocked'), '0', String(LIMIT - 1));
  if (ids.length === 0) return [];
  const now = await nowMs(place);
  const pipeline = redis.pipeline();
  for (const id of ids) pipeline.hget(keys.key('task', id), 'blockedSince');
  const blocked = ((await pipeline.exec()) ?? []).flatMap(([, since], i): LongBlocked[] =>
    typeof since === 'string' && now - Number(since) >= afterMs ? [{ id: ids[i] ?? '', since: Number(since) }] : [],
  );
  const known = await Promise.all(blocked.map(async (one) => await redis.exists(toldKey(keys, one))));
  return blocked.filter((_one, i) => known[i] === 0);
}

/** Notes that this was told. */
export async function toldBlocked({ redis, keys }: Place, blocked: LongBlocked): Promise<void> {
  await redis.set(toldKey(keys, blocked), '1', 'PX', TOLD_MS);
}

function toldKey(keys: Keys, { id, since }: LongBlocked): string {
  return keys.key('told', `${id}.${since}`);
}

async function nowMs({ redis }: Place): Promise<number> {
  const [seconds, micros] = (await redis.time()) as unknown as [string, string];
  return Number(seconds) * 1_000 + Math.floor(Number(micros) / 1_000);
}
