import { expect } from 'vitest';
import { redisFindings } from '../../../src/redis/health.ts';
import { clusterTest } from './cluster-test.ts';
import { checkJob, submitJob } from './main-job.ts';

clusterTest(
  'Valkey keeps a queue, and locks, as Redis does',
  async ({ servers, open }) => {
    const [queue, lock] = [await servers.start(), await servers.start()];
    const world = await open(queue.url, { leaseTtl: '4s' });
    world.remote();
    await world.startWorkers(2, { env: { SIGNALBOX_LOCK_REDIS: lock.url } });
    expect(await queue.client.info('server')).toContain('server_name:valkey');
    expect((await redisFindings(world.client.queue.redis, 4_000)).filter(({ ok }) => !ok)).toEqual([]);
    await checkJob(world, await submitJob(world));
  },
  'valkey-server',
);
