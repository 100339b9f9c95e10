import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { timings } from '../../../src/config/timings.ts';
import { startEmbeddedRedis } from '../../../src/redis/embedded.ts';
import { processesOf } from '../../support/system/processes.ts';
import { until } from '../../support/system/until.ts';
import { systemTest, type World } from '../../support/system/world.ts';

const LEASE_MS = 2_000;
const options = { leaseTtl: `${LEASE_MS}ms`, redis: 'own' } as const;
const { leaseTtlMs, marginMs } = timings(LEASE_MS);
/** The earliest that a reaper may give away what a holder had, after the last renewal. */
const GIVEN_AWAY_MS = leaseTtlMs + leaseTtlMs - marginMs;
const DOWN_MS = 20_000;
/** How soon after an outage every worker works again. */
const BACK_AT_WORK_MS = 30_000;

async function passed(sinceMs: number, forMs: number): Promise<void> {
  await until(`${forMs} ms have passed`, () => Date.now() >= sinceMs + forMs);
}

async function answers(world: World): Promise<boolean> {
  return await world.client.status().then(
    () => true,
    () => false,
  );
}

describe('Redis', () => {
  systemTest(
    'away for 20 s: every worker takes a new task soon after it is back, and none was restarted',
    async (world) => {
      const remote = world.remote();
      await world.startWorkers(3, { concurrency: 1 });
      const pids = world.workers.map(({ pid }) => pid);
      const branch = 'task/outage';
      const step = `echo "$SIGNALBOX_RUN" > run.txt; ${world.stamps.workUntil(world.gate('go'))}`;
      const running = await world.submit({ branch, implement: [step] });
      await world.working(running);
      const parked = await world.submit({ branch, implement: ['echo parked > parked.txt'] });
      await world.reached(parked, 'blocked');

      const { redis } = world;
      if (redis === undefined) throw new Error('this world has no Redis of its own');
      const downAt = Date.now();
      await redis.stop();
      expect(await answers(world)).toBe(false);
      await until('the run was stopped by its own deadline', () => processesOf([running]).length === 0);
      expect(world.stamps.of(running)[0]?.end ?? 0).toBeLessThan(downAt + GIVEN_AWAY_MS);
      await passed(downAt, DOWN_MS);
      world.redis = await startEmbeddedRedis({ dir: join(world.dir, 'redis'), port: redis.port, aof: true });
      const backAt = Date.now();
      await until('the client is connected again', () => answers(world));

      world.openGate('go');
      // One runner a worker: as many at work at once as there are workers means that every worker has taken one.
      const ids = await world.submitAll(
        world.workers.map(() => ({ priority: 'urgent', implement: [world.stamps.workUntil(world.gate('all'))] })),
      );
      await Promise.all(ids.map((id) => world.working(id)));
      const lastStart = Math.max(...ids.map((id) => world.stamps.of(id)[0]?.start ?? Number.POSITIVE_INFINITY));
      expect(lastStart - backAt).toBeLessThan(BACK_AT_WORK_MS);
      world.openGate('all');
      await world.drained();
      expect(world.workers.map(({ pid, isAlive }) => [pid, isAlive])).toEqual(pids.map((pid) => [pid, true]));
      const task = await world.client.get(running);
      expect(task).toMatchObject({ state: 'succeeded', attempts: 1 });
      expect(task.runs).toBeGreaterThan(1);
      expect(remote.show(branch, 'run.txt')).toBe(`${task.runs}\n`);
      expect(remote.show(branch, 'parked.txt')).toBe('parked\n');
    },
    options,
  );

  systemTest(
    'frozen for three leases: runs stop at their own deadline, and all goes on after that',
    async (world) => {
      const remote = world.remote();
      await world.startWorkers(2);
      const branch = 'task/frozen';
      const id = await world.submit({
        branch,
        implement: [`echo "$SIGNALBOX_RUN" > run.txt; ${world.stamps.workUntil(world.gate('go'))}`],
      });
      await world.working(id);
      const pid = world.redis?.pid ?? 0;
      const frozenAt = Date.now();
      process.kill(pid, 'SIGSTOP');
      await until('nothing of the run is alive', () => processesOf([id]).length === 0);
      expect(world.stamps.of(id)[0]?.end ?? 0).toBeLessThan(frozenAt + GIVEN_AWAY_MS);
      expect(world.stamps.of(id)).toHaveLength(1);
      await passed(frozenAt, 3 * LEASE_MS);
      process.kill(pid, 'SIGCONT');

      await world.working(id, 2);
      expect(world.events('lease.lost').map(({ taskId }) => taskId)).toContain(id);
      const [first, second] = world.stamps.of(id);
      expect(second?.start ?? 0).toBeGreaterThan(frozenAt + 3 * LEASE_MS);
      expect(first?.ended).toBe(false);
      world.openGate('go');
      const task = await world.ended(id);
      expect(task).toMatchObject({ state: 'succeeded', attempts: 1 });
      expect(remote.show(branch, 'run.txt')).toBe(`${task.runs}\n`);
      const after = await world.submit({ branch, implement: ['echo after > after.txt'] });
      expect(await world.ended(after)).toMatchObject({ state: 'succeeded', runs: 1 });
    },
    options,
  );

  systemTest(
    'without the lock of a run: the run stops, the task runs again and is published once',
    async (world) => {
      const remote = world.remote();
      await world.startWorkers(2);
      const branch = 'task/unlocked';
      const id = await world.submit({
        branch,
        claims: { write: ['run.txt'] },
        implement: [`echo "$SIGNALBOX_RUN" > run.txt; ${world.stamps.workUntil(world.gate('go'))}`],
      });
      await world.working(id);
      const { redis, keys } = world.client.queue;
      const entries = await redis.zrange(keys.all('holding'), '0', '-1');
      const locks = entries.filter((entry) => entry.includes(`#branch:${branch}\0`));
      expect(locks).toHaveLength(1);
      const deletedAt = Date.now();
      world.hasLostLeases = true;
      expect(await redis.zrem(keys.all('holding'), ...locks)).toBe(1);
      await world.working(id, 2);
      const [first, second] = world.stamps.of(id);
      // It is told at its next renewal, which comes within its lease.
      expect(first?.end ?? 0).toBeLessThan(deletedAt + GIVEN_AWAY_MS);
      expect(second?.start ?? 0).toBeGreaterThan(first?.end ?? 0);
      expect(world.events('lease.lost')).toMatchObject([{ taskId: id, runnerId: first?.runnerId }]);
      world.openGate('go');
      const task = await world.ended(id);
      expect(task).toMatchObject({ state: 'succeeded', attempts: 1, crashes: 0 });
      expect(remote.show(branch, 'run.txt')).toBe(`${task.runs}\n`);
    },
    { leaseTtl: options.leaseTtl },
  );
});
