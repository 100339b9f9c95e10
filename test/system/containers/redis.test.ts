/**
 * The main job on a Redis in a container, as most people will have it. Left out where no container engine answers, and
 * says so. The image is that of the product, unless TEST_REDIS_IMAGE names another.
 */

import { GenericContainer, getContainerRuntimeClient, type StartedTestContainer, Wait } from 'testcontainers';
import { inject, test } from 'vitest';
import { redisFindings } from '../../../src/redis/health.ts';
import { guardAgainstParentDeath } from '../../../src/redis/parent-guard.ts';
import { REDIS_IMAGE } from '../../../src/redis/redis-program.ts';
import { checkInvariants } from '../../support/system/invariants.ts';
import { World } from '../../support/system/world.ts';
import { checkJob, submitJob } from '../cluster/main-job.ts';

const IMAGE = process.env['TEST_REDIS_IMAGE'] || REDIS_IMAGE;
const PORT = 6379;

// What removes containers of killed runs is an image of its own to pull. A guard does the same for this one.
process.env['TESTCONTAINERS_RYUK_DISABLED'] ??= 'true';

const silence = await getContainerRuntimeClient().then(
  () => undefined,
  (error: unknown) => (error instanceof Error ? error.message : String(error)),
);
if (silence !== undefined)
  console.warn(`SKIPPED: the test on a Redis in a container, since no engine answers: ${silence}`);

test.skipIf(silence !== undefined)('the main job runs on a Redis in a container', async ({ expect }) => {
  const container = await new GenericContainer(IMAGE)
    .withCommand(['redis-server', '--protected-mode', 'no', '--appendonly', 'yes', '--maxmemory-policy', 'noeviction'])
    .withExposedPorts(PORT)
    .withWaitStrategy(Wait.forLogMessage(/Ready to accept connections/))
    .start();
  const guard = guardAgainstParentDeath(['docker', 'rm', '--force', container.getId()]);
  try {
    await withWorld(container, async (world) => {
      world.remote();
      await world.startWorkers(2);
      const findings = await redisFindings(world.client.queue.redis, 10_000);
      expect(findings.filter(({ ok }) => !ok)).toEqual([]);
      await checkJob(world, await submitJob(world));
    });
  } finally {
    await container.stop();
    await guard.dismiss();
  }
});

async function withWorld(container: StartedTestContainer, body: (world: World) => Promise<void>): Promise<void> {
  const redisUrl = `redis://${container.getHost()}:${container.getMappedPort(PORT)}`;
  const world = await World.open({}, { redisUrl, program: inject('workerProgram') });
  try {
    await body(world);
    await world.drained();
    await checkInvariants(world);
    await world.stopWorkers();
  } finally {
    await world.close();
  }
}
