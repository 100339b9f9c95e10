import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { startEmbeddedRedis } from '../../../src/redis/embedded.ts';
import { canMount, SmallDisk } from '../../support/system/small-disk.ts';
import { until } from '../../support/system/until.ts';
import { systemTest, type World } from '../../support/system/world.ts';

const options = { leaseTtl: '2000ms' } as const;
const BYTES = 8 * 2 ** 20;

/** Redis begins anew, with its data on a small disk. */
async function moveRedis(world: World): Promise<SmallDisk> {
  const { redis } = world;
  if (redis === undefined) throw new Error('this world has no Redis of its own');
  await redis.stop();
  const dir = join(world.dir, 'redis-disk');
  mkdirSync(dir);
  const disk = new SmallDisk(dir, BYTES);
  world.redis = await startEmbeddedRedis({ dir, port: redis.port, aof: true });
  await until('the client is connected again', async () => await world.client.status().catch(() => undefined));
  return disk;
}

describe.skipIf(!canMount())('a full disk', () => {
  systemTest(
    'of Redis: what runs ends or runs again, uncharged, and all goes on by itself once there is room',
    async (world) => {
      const remote = world.remote();
      using disk = await moveRedis(world);
      const [worker] = await world.startWorkers(1);
      const ids = await world.submitAll(
        ['ends', 'stops'].map((name) => ({
          branch: `task/${name}`,
          claims: { write: [`${name}.txt`] },
          implement: [`${world.stamps.workUntil(world.gate(name))}; echo "$SIGNALBOX_RUN" > ${name}.txt`],
        })),
      );
      const [ends = '', stops = ''] = ids;
      await Promise.all(ids.map((id) => world.working(id)));
      disk.fill();
      const { redis } = world.client.queue;
      await until('Redis refuses', () => redis.set('probe', 'x'.repeat(4096)).then(() => false, isFull));
      world.openGate('ends');
      const submission = world.client.submit({ title: 'A task', repo: remote.dir, implement: ['true'] });
      await expect(submission).rejects.toMatchObject({ code: 'REDIS_FULL', message: expect.stringContaining('disk') });
      await until('a run has stopped by itself', () => worker?.has('lease.lost', { taskId: stops }));
      // Whatever its run has come to, nobody could be told.
      expect(await world.client.get(ends)).toMatchObject({ state: 'running' });
      disk.makeRoom();
      world.openGate('stops');
      for (const id of ids) {
        expect(await world.ended(id)).toMatchObject({ state: 'succeeded', attempts: 1, crashes: 0 });
      }
      expect(remote.published()).toHaveLength(2);
      for (const taskId of ids) await until('its worker has told', () => worker?.has('task.finished', { taskId }));
    },
    { ...options, redis: 'own' },
  );

  systemTest(
    'of a worker: its tasks fail saying so, and it goes on once there is room, with nothing left over',
    async (world) => {
      world.remote();
      using disk = new SmallDisk(world.dataDir, BYTES);
      const [worker] = await world.startWorkers(1);
      const writing = await world.submit({
        attempts: 1,
        implement: [
          `echo work > work.txt; ${world.stamps.workUntil(world.gate('go'))}; head -c 100000 /dev/zero > big`,
        ],
      });
      await world.working(writing);
      disk.fill();
      world.openGate('go');
      const { code, phases } = await world.ended(writing);
      expect(code).toBe('implement_failed');
      expect(phases.flatMap(({ steps }) => steps).map(({ outputTail }) => outputTail)).toMatchObject([
        expect.stringContaining('No space left on device'),
      ]);
      const starting = await world.submit({ attempts: 1, implement: ['true'] });
      expect(await world.ended(starting)).toMatchObject({
        state: 'failed',
        code: 'workspace_failed',
        error: expect.stringMatching(/no space left on device/i),
      });
      disk.makeRoom();
      const after = await world.submit({ implement: ['echo after > after.txt'] });
      expect(await world.ended(after)).toMatchObject({ state: 'succeeded', workerId: worker?.id });
      await until('nothing of the runs is left', () => readdirSync(join(world.dataDir, 'runs')).length === 0);
      const kept = join(world.dataDir, 'artifacts', writing, 'run-1', 'unpublished.patch');
      expect(existsSync(kept)).toBe(true);
    },
    options,
  );
});

function isFull(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith('MISCONF');
}
