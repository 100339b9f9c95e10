/** Wakes again whoever was served and has not come: the scripts that grant wake at once, see `grant` in `line.lua`. */

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

/** Promotes the jobs of these tickets and calls waiters without one. Returns the tasks whose jobs slept. */
export async function wakeAgain(grants: readonly Grant[], { redis, keys, bull }: WakeOptions): Promise<string[]> {
  const woken = await Promise.all(
    grants.map(async ({ kind, ticket }) => {
      if (kind === 'task') return await bull.promote(ticket);
      await redis.publish(keys.channel('wake'), ticket);
      return false;
    }),
  );
  return grants.flatMap(({ ticket }, i) => (woken[i] === true ? [ticket] : []));
}
