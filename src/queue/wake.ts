/** Tells those who were served: parked jobs are promoted, waiters without a job are called over a channel. */

import type { Grant } from '../claims/answers.ts';
import type { Connection } from '../redis/connect.ts';
import type { Keys } from '../redis/keys.ts';
import type { BullQueue } from './bull.ts';

/** What waking needs. */
export interface WakeOptions {
  readonly redis: Connection;
  readonly keys: Keys;
  readonly bull: BullQueue;
}

/**
 * Wakes every granted ticket. A job that cannot be promoted is not parked yet, and its parker looks at the ticket
 * again after parking; or it is on its way already. Returns the tasks whose jobs were promoted.
 */
export async function wake(grants: readonly Grant[], { redis, keys, bull }: WakeOptions): Promise<string[]> {
  const woken = await Promise.all(
    grants.map(async ({ kind, ticket }) => {
      if (kind === 'task') return await bull.promote(ticket);
      await redis.publish(keys.channel('wake'), ticket);
      return false;
    }),
  );
  return grants.flatMap(({ ticket }, i) => (woken[i] === true ? [ticket] : []));
}
