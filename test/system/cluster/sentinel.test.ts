import { expect } from 'vitest';
import { topologyOf } from '../../../src/redis/connect.ts';
import { until } from '../../support/system/until.ts';
import { clusterTest } from './cluster-test.ts';
import { checkJob, submitJob } from './main-job.ts';

const REPLICAS = 2;
const IN_STEP_MS = 10_000;

clusterTest(
  'Sentinels: the primary is killed while tasks run, and all go on with the one that takes its place',
  async ({ servers, open }) => {
    const { url, primary } = await servers.startSentinels();
    const world = await open(url);
    world.remote();
    await world.startWorkers(2);
    const { redis } = world.client.queue;
    const ids = await submitJob(world, 'go');
    await until('tasks are at work', () => world.stamps.intervals().length >= ids.length / 2);
    // Replication is asynchronous: what a replica does not have yet when the primary dies is lost, and not our matter.
    expect(await redis.wait(REPLICAS, IN_STEP_MS)).toBe(REPLICAS);
    expect(topologyOf(redis)).toContain(`127.0.0.1:${primary.port}, `);
    await primary.kill();
    await until('the workers have noticed', () => world.workers.every((worker) => worker.has('redis.disconnected')));
    await until('the workers have found the new primary', () =>
      world.workers.every((worker) => worker.has('redis.reconnected')),
    );
    await until('the client has too', async () => await world.client.status().catch(() => undefined));
    expect(topologyOf(redis)).not.toContain(`127.0.0.1:${primary.port}, `);
    world.openGate('go');
    const later = await submitJob(world);
    await checkJob(world, [...ids, ...later]);
  },
);
