/** The registry of workers: each keeps one key alive that says who and where it is. */

import type { Connection } from '../redis/connect.ts';
import type { Keys } from '../redis/keys.ts';

/** A worker as it registers itself. */
export interface WorkerFacts {
  readonly id: string;
  readonly name: string;
  readonly host: string;
  readonly pid: number;
  readonly concurrency: number;
  readonly startedAt: string;
  /** The newest form of stored tasks that it reads; versions that knew only the first one did not say. */
  readonly reads?: number;
  /** Its lease's TTL; versions that said no more than before did not say. */
  readonly leaseTtlMs?: number;
}

/** A worker as others see it. */
export interface RegisteredWorker extends WorkerFacts {
  /** How long its registration is good for without renewal. */
  readonly leaseMs: number;
}

interface RegistryOptions {
  readonly redis: Connection;
  readonly keys: Keys;
  readonly leaseTtlMs: number;
  readonly renewEveryMs: number;
}

/** Keeps a worker registered until the answer is called, which takes the registration away. */
export async function register(
  facts: WorkerFacts,
  { redis, keys, leaseTtlMs, renewEveryMs }: RegistryOptions,
): Promise<() => Promise<void>> {
  const key = keys.key('worker', facts.id);
  const announce = async (): Promise<void> => {
    await redis.multi().set(key, JSON.stringify(facts), 'PX', leaseTtlMs).sadd(keys.all('workers'), facts.id).exec();
  };
  await announce();
  // A full Redis takes this much. A renewal that fails is made good by the next one; the TTL tells others meanwhile.
  const renew = async (): Promise<unknown> => await announce().catch(() => redis.pexpire(key, leaseTtlMs));
  const timer = setInterval(() => void renew().catch(() => {}), renewEveryMs);
  return async () => {
    clearInterval(timer);
    await redis.multi().del(key).srem(keys.all('workers'), facts.id).exec();
  };
}

/** The workers that are alive. Forgets those whose registration has lapsed. */
export async function registeredWorkers(redis: Connection, keys: Keys): Promise<RegisteredWorker[]> {
  const ids = (await redis.smembers(keys.all('workers'))).sort();
  const pipeline = redis.pipeline();
  for (const id of ids) pipeline.get(keys.key('worker', id)).pttl(keys.key('worker', id));
  const replies = (await pipeline.exec()) ?? [];
  const alive: RegisteredWorker[] = [];
  for (const [i, id] of ids.entries()) {
    const json = replies[2 * i]?.[1];
    if (typeof json === 'string')
      alive.push({ ...(JSON.parse(json) as WorkerFacts), leaseMs: Number(replies[2 * i + 1]?.[1]) });
    // Who may only look leaves it to the others.
    else await redis.srem(keys.all('workers'), id).catch(() => 0);
  }
  return alive;
}
