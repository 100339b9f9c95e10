/** A world's own Redis, stopped and started again with the same port and data, or with other data. */

import { join } from 'node:path';
import { startEmbeddedRedis } from '../../../src/redis/embedded.ts';
import { until } from './until.ts';
import type { World } from './world-core.ts';

/** Where the data of a world's own Redis are. */
export function redisDir(world: World): string {
  return join(world.dir, 'redis');
}

/** Stops it, in good order or by SIGKILL; waits until it has ended. */
export async function stopRedis(world: World, signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM'): Promise<void> {
  const { redis } = world;
  if (redis === undefined) throw new Error('this world has no Redis of its own');
  if (signal === 'SIGKILL') process.kill(redis.pid, signal);
  await redis.stop();
  await redis.exited;
}

/** Starts it again on the port it had; waits until the client and all workers that live are connected. */
export async function startRedis(world: World): Promise<void> {
  const { workers } = world;
  const port = world.redis?.port ?? 0;
  const seen = (): number => workers.filter((worker) => worker.isAlive && hasReturned(worker)).length;
  world.redis = await startEmbeddedRedis({ dir: redisDir(world), port, aof: true });
  await until('the client is connected again', async () => await world.client.status().catch(() => undefined));
  await until('the workers are connected again', () => seen() === workers.filter(({ isAlive }) => isAlive).length);
}

function hasReturned(worker: World['workers'][number]): boolean {
  const events = worker.events().map(({ event }) => event);
  return events.lastIndexOf('redis.reconnected') > events.lastIndexOf('redis.disconnected');
}
