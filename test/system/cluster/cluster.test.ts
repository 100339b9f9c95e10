import { expect } from 'vitest';
import { topologyOf } from '../../../src/redis/connect.ts';
import { redisFindings } from '../../../src/redis/health.ts';
import { clusterTest } from './cluster-test.ts';
import { checkJob, submitJob } from './main-job.ts';

clusterTest('a Redis Cluster of three primaries keeps two queues, each on one of them', async ({ servers, open }) => {
  const cluster = await servers.startCluster();
  const slotOf = async (prefix: string): Promise<number> =>
    Number(await cluster.servers[0]?.client.call('CLUSTER', 'KEYSLOT', prefix));
  const worlds = [await open(cluster.url), await open(cluster.url)];
  for (const world of worlds) {
    world.remote();
    await world.startWorkers(2);
  }
  const ids = await Promise.all(worlds.map(async (world) => await submitJob(world)));
  const { redis } = worlds[0]?.client.queue ?? {};
  if (redis === undefined) throw new Error('there is no world');
  expect(topologyOf(redis)).toContain('of 3 primaries');
  expect((await redisFindings(redis, 10_000)).filter(({ ok }) => !ok)).toEqual([]);
  for (const [i, world] of worlds.entries()) {
    await checkJob(world, ids[i] ?? []);
    const { keys } = world.client.queue;
    const sharedSlot = await slotOf(keys.prefix);
    const found = await Promise.all(cluster.servers.map(async ({ client }) => await client.keys(`${keys.prefix}*`)));
    const own = found.filter((names) => names.length > 0);
    expect(own, 'one node has all keys of a queue').toHaveLength(1);
    expect(new Set(await Promise.all((own[0] ?? []).map(slotOf)))).toEqual(new Set([sharedSlot]));
    // What is claimed by a program, and heard of by subscribers.
    const repo = world.remotes[0]?.dir ?? '';
    expect(await world.client.hold({ repo, write: ['x'] }, () => 'held')).toBe('held');
    expect((await world.client.status()).finished).toBe(ids[i]?.length);
  }
});
