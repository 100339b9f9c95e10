/** The limits of a queue, read and set: how many runners there may be in all, quotas, capacities and weights. */

import type { TaskQueue } from '../queue/task-queue.ts';
import { checkLimitName, MAX_PARALLEL_RUNNERS, readLimit } from '../waiting/limits.ts';

/**
 * The limits in force, by name: `max_parallel_runners`, which is null where there is none, `owner:NAME` and `spec:NAME`
 * (how many may run), `resource:NAME` (how many there are) and `weight:OWNER` (an owner's share, else 1).
 */
export interface Limits {
  readonly [MAX_PARALLEL_RUNNERS]: number | null;
  readonly [name: string]: number | null;
}

/** The limits in force. */
export async function readLimits(queue: TaskQueue): Promise<Limits> {
  const [cap, limits] = await Promise.all([queue.bull.cap(), queue.line.limits()]);
  const byName = Object.entries(limits).sort(([a], [b]) => (a < b ? -1 : 1));
  return { [MAX_PARALLEL_RUNNERS]: cap ?? null, ...Object.fromEntries(byName) };
}

/**
 * Sets a limit, or takes it away with null; takes effect at once. Throws INVALID, naming the limit, and STATE for a
 * resource that is in use and would lose its capacity.
 */
export async function setLimit(queue: TaskQueue, name: string, value: number | null): Promise<Limits> {
  checkLimitName(name);
  const number = value === null ? null : readLimit(name, value);
  if (name === MAX_PARALLEL_RUNNERS) {
    await queue.redis.hset(queue.keys.all('meta'), 'capSet', 1);
    await queue.bull.setCap(number ?? undefined);
  } else {
    await queue.line.setLimit(name, number);
  }
  return await readLimits(queue);
}
