import { cpSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { processesOf } from '../../support/system/processes.ts';
import { redisDir, startRedis, stopRedis } from '../../support/system/redis-restart.ts';
import { until } from '../../support/system/until.ts';
import { systemTest } from '../../support/system/world.ts';

const options = { leaseTtl: '2000ms', redis: 'own' } as const;

describe('Redis', () => {
  systemTest(
    'that evicts and keeps no data: a worker says so when it starts, loudly, and works all the same',
    async (world) => {
      world.remote();
      const { redis } = world.client.queue;
      await redis.config('SET', 'maxmemory-policy', 'allkeys-lru');
      await redis.config('SET', 'appendonly', 'no');
      const [worker] = await world.startWorkers(1);
      const [level, next] = ['error', expect.stringContaining('noeviction')];
      expect(worker?.events('redis.unfit')).toMatchObject([{ level, check: 'redis-eviction', next }]);
      expect(worker?.events('redis.at_risk')).toMatchObject([{ level: 'warn', check: 'redis-persistence' }]);
      const id = await world.submit({ implement: ['true'] });
      expect(await world.ended(id)).toMatchObject({ state: 'succeeded' });
      // BullMQ says it too, to the console.
      for (const line of worker?.complaints.splice(0) ?? []) expect(line).toContain('noeviction');
    },
    options,
  );

  systemTest(
    'killed and started again at once: nothing is lost, what runs and what waits ends, and no worker was restarted',
    async (world) => {
      const remote = world.remote();
      const workers = await world.startWorkers(2, { concurrency: 1 });
      const branch = 'task/restart';
      const running = await world.submit({
        branch,
        implement: [`${world.stamps.workUntil(world.gate('go'))}; echo running > running.txt`],
      });
      await world.working(running);
      const blocked = await world.submit({ branch, implement: ['echo blocked > blocked.txt'] });
      await world.reached(blocked, 'blocked');
      const after = await world.submit({ dependsOn: [blocked], implement: ['true'] });
      await stopRedis(world, 'SIGKILL');
      await startRedis(world);
      world.openGate('go');
      for (const id of [running, blocked, after])
        expect(await world.ended(id)).toMatchObject({ state: 'succeeded', crashes: 0 });
      expect(remote.show(branch, 'running.txt')).toBe('running\n');
      expect(workers.map(({ isAlive }) => isAlive)).toEqual([true, true]);
    },
    options,
  );

  systemTest(
    'emptied: ids are answered TASK_LOST, what ran stops and publishes nothing, and the workers take new tasks',
    async (world) => {
      const remote = world.remote();
      const workers = await world.startWorkers(2, { concurrency: 1 });
      const branch = 'task/emptied';
      const done = await world.submit({ branch: 'task/done', implement: ['echo done > done.txt'] });
      await world.ended(done);
      const running = await world.submit({
        branch,
        implement: [`${world.stamps.workUntil(world.gate('never'))}; echo 1 > run.txt`],
      });
      await world.working(running);
      const waiting = await world.submit({ branch, implement: ['true'] });
      await world.reached(waiting, 'blocked');
      const lost = [done, running, waiting];

      await world.client.queue.redis.flushall();
      for (const id of lost) {
        await expect(world.client.get(id)).rejects.toMatchObject({ code: 'TASK_LOST' });
        world.ledger.delete(id);
      }
      await until('the run has stopped', () => processesOf([running]).length === 0);
      await until('its worker says so', () => world.events('lease.lost').some(({ taskId }) => taskId === running));
      expect(world.stamps.of(running)).toMatchObject([{ ended: false }]);
      // As many at work at once as there are workers: each of them is usable.
      const ids = await world.submitAll(
        workers.map((_worker, i) => ({
          branch: i === 0 ? branch : `task/new-${i}`,
          implement: [`${world.stamps.workUntil(world.gate('all'))}; echo ${i} > new-${i}.txt`],
          claims: { write: [`new-${i}.txt`] },
        })),
      );
      await Promise.all(ids.map((id) => world.working(id)));
      world.openGate('all');
      for (const id of ids) expect(await world.ended(id)).toMatchObject({ state: 'succeeded' });
      expect(
        remote
          .published()
          .map(({ taskId }) => taskId)
          .sort(),
      ).toEqual([done, ...ids].sort());
      for (const id of lost) await expect(world.client.get(id)).rejects.toMatchObject({ code: 'TASK_LOST' });
    },
    options,
  );

  systemTest(
    'rolled back to older data: what was published is found and published no second time, though runs are numbered anew',
    async (world) => {
      const remote = world.remote();
      const workers = await world.startWorkers(2, { concurrency: 1 });
      await world.client.pause();
      const body = (name: string): string =>
        `${world.stamps.note('start')}; date +%s%N > ${name}.txt; ${world.stamps.note('end')}`;
      const published = await world.submit({ branch: 'task/published', implement: [body('published')] });
      const running = await world.submit({
        branch: 'task/running',
        implement: [`${world.stamps.workUntil(world.gate('go'))}; ${body('running')}`],
      });
      const copy = join(world.dir, 'older');
      await stopRedis(world);
      cpSync(redisDir(world), copy, { recursive: true });
      await startRedis(world);
      await world.client.resume();
      const { commit } = await world.ended(published);
      await world.working(running);
      const forgotten = await world.submit({ branch: 'task/forgotten', implement: [body('forgotten')] });
      await world.ended(forgotten);
      expect(remote.tip('task/published')).toBe(commit);
      const runs = world.stamps.of(published).length;

      world.hasLostData = true;
      await stopRedis(world);
      rmSync(redisDir(world), { recursive: true });
      cpSync(copy, redisDir(world), { recursive: true });
      await startRedis(world);
      expect(await world.client.get(published)).toMatchObject({ runs: 0, commit: null });
      await expect(world.client.get(forgotten)).rejects.toMatchObject({ code: 'TASK_LOST' });
      world.ledger.delete(forgotten);
      // This Redis knows nothing of the run that is at work, which stops at its next renewal, and not before.
      await until('what ran has stopped', () => world.events('lease.lost').some(({ taskId }) => taskId === running));
      await world.client.resume();
      expect(await world.ended(published)).toMatchObject({ state: 'succeeded', commit });
      expect(world.stamps.of(published)).toHaveLength(runs);
      await world.working(running, 2);
      world.openGate('go');
      expect(await world.ended(running)).toMatchObject({ state: 'succeeded', commit: remote.tip('task/running') });
      expect(remote.published().filter(({ taskId }) => taskId === running)).toHaveLength(1);
      expect(remote.published().filter(({ taskId }) => taskId === published)).toHaveLength(1);
      expect(workers.map(({ isAlive }) => isAlive)).toEqual([true, true]);
    },
    options,
  );
});
