import { describe, expect } from 'vitest';
import { until } from '../../support/system/until.ts';
import { systemTest } from '../../support/system/world.ts';

const LEASE_MS = 2_000;

describe('all leases gone at once', () => {
  systemTest(
    'stop every run; all tasks run again, uncharged, and are published once',
    async (world) => {
      const remote = world.remote();
      await world.startWorkers(2);
      const branches = ['one', 'two', 'three', 'four'].map((name) => `task/${name}`);
      const ids = await world.submitAll(
        branches.map((branch) => ({
          branch,
          // They write one file on four branches on purpose.
          claims: { undeclared: 'warn' as const },
          implement: [`echo "$SIGNALBOX_RUN" > run.txt; ${world.stamps.workUntil(world.gate('go'))}`],
        })),
      );
      await Promise.all(ids.map((id) => world.working(id)));
      const { redis, keys } = world.client.queue;
      const leases = await redis.keys(`${keys.prefix}lease:*`);
      expect(leases).toHaveLength(ids.length);
      world.hasLostLeases = true;
      expect(await redis.del(...leases)).toBe(ids.length);
      await Promise.all(ids.map((id) => world.working(id, 2)));
      expect(world.events('lease.lost').length).toBeGreaterThanOrEqual(ids.length);
      world.openGate('go');
      for (const [i, id] of ids.entries()) {
        const task = await world.ended(id);
        expect(task).toMatchObject({ state: 'succeeded', attempts: 1, crashes: 0 });
        expect(remote.show(branches[i] ?? '', 'run.txt')).toBe(`${task.runs}\n`);
      }
    },
    { leaseTtl: `${LEASE_MS}ms` },
  );
});

describe('a worker that is told to stop', () => {
  systemTest('ends what it runs, takes nothing more, and leaves the rest to others', async (world) => {
    world.remote();
    const [leaving] = await world.startWorkers(1, { concurrency: 1 });
    const running = await world.submit({ implement: [world.stamps.workUntil(world.gate('go'))] });
    await world.working(running);
    const next = await world.submit({ implement: [world.stamps.workFor(10)] });
    const stopped = leaving?.stop();
    await until('it drains', () => leaving?.has('worker.draining'));
    await world.startWorkers(1);
    expect(await world.ended(next)).toMatchObject({ state: 'succeeded', workerId: world.workers[1]?.id });
    expect(await world.client.get(running)).toMatchObject({ state: 'running', workerId: leaving?.id });
    world.openGate('go');
    expect(await stopped).toBe(0);
    expect(await world.client.get(running)).toMatchObject({ state: 'succeeded', runs: 1, workerId: leaving?.id });
    const { workers } = await world.client.status();
    expect(workers.map(({ id }) => id)).toEqual([world.workers[1]?.id]);
  });
});
