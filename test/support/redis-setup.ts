import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { startEmbeddedRedis } from '../../src/redis/embedded.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** The Redis that all tests of this run share, each under key prefixes of its own. */
    redisUrl: string;
  }
}

/**
 * Gives the tests the Redis that `REDIS_URL` names, else a private one that ends with this run. A run that is killed
 * leaves no server behind either: see `src/redis/parent-guard.ts`.
 */
export default async function setup(project: TestProject): Promise<(() => Promise<void>) | undefined> {
  const given = process.env['REDIS_URL'];
  if (given !== undefined && given !== '') {
    project.provide('redisUrl', given);
    return undefined;
  }
  const dir = await mkdtemp(join(tmpdir(), 'signalbox-test-redis-'));
  const redis = await startEmbeddedRedis({ dir, aof: true });
  project.provide('redisUrl', redis.url);
  return async () => {
    await redis.stop();
    await rm(dir, { recursive: true, force: true });
  };
}
