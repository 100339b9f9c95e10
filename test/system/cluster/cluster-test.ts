/** A system test on Redis servers of its own; the invariants are checked at its end, as in every system test. */

import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inject, it } from 'vitest';
import { checkInvariants } from '../../support/system/invariants.ts';
import { RedisServers } from '../../support/system/redis-servers.ts';
import { World, type WorldOptions } from '../../support/system/world.ts';

/** What such a test gets: the servers, and a world on the Redis at an address. */
export interface ClusterParts {
  readonly servers: RedisServers;
  readonly open: (redisUrl: string, options?: WorldOptions) => Promise<World>;
}

/** Opens the servers before the test, and ends worlds and servers after it. Left out where `program` is not installed. */
export function clusterTest(
  name: string,
  body: (parts: ClusterParts) => Promise<void>,
  program = 'redis-server',
): void {
  const isInstalled = spawnSync(program, ['--version']).status === 0;
  it.runIf(isInstalled)(name, async () => {
    const dir = mkdtempSync(join(tmpdir(), 'signalbox-cluster-'));
    const servers = new RedisServers(dir, program);
    const worlds: World[] = [];
    const open: ClusterParts['open'] = async (redisUrl, options = {}) => {
      const world = await World.open(options, { redisUrl, program: inject('workerProgram') });
      worlds.push(world);
      return world;
    };
    try {
      await body({ servers, open });
      for (const world of worlds) {
        await world.drained();
        await checkInvariants(world);
        await world.stopWorkers();
      }
    } catch (error) {
      if (error instanceof Error)
        for (const world of worlds) error.message += `\n${await world.describe().catch(() => 'no Redis to ask')}`;
      throw error;
    } finally {
      for (const world of worlds) await world.close();
      await servers[Symbol.asyncDispose]();
      rmSync(dir, { recursive: true, force: true });
    }
  });
}
