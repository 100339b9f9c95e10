import { describe, expect } from 'vitest';
import { exportQueue } from '../../src/client/export.ts';
import { readExport } from '../../src/client/export-format.ts';
import { importQueue } from '../../src/client/import.ts';
import { until } from '../support/system/until.ts';
import { systemTest, type World } from '../support/system/world.ts';

const options = { leaseTtl: '2000ms', redis: 'own' } as const;

async function exported(world: World): Promise<string> {
  return (await exportQueue(world.client.queue)).lines.join('\n');
}

/** Redis loses everything. */
async function lose(world: World): Promise<void> {
  await world.client.queue.redis.flushall();
  expect(await world.client.list()).toEqual([]);
}

describe('an export that is imported after Redis has lost everything', () => {
  systemTest(
    'brings back what had not ended: ids, order, counters, dependencies, limits and paths kept until a merge',
    async (world) => {
      const remote = world.remote();
      const { client } = world;
      await client.setLimit('resource:db', 1);
      const [worker] = await world.startWorkers(1, { concurrency: 2 });
      const keeper = await world.submit({
        branch: 'task/kept',
        claims: { write: ['kept.txt'], until: 'merged' },
        implement: ['echo kept > kept.txt'],
      });
      await world.ended(keeper);
      const body = {
        branch: 'task/run',
        idempotencyKey: 'the-run',
        implement: [`${world.stamps.workUntil(world.gate('go'))}; echo done > run.txt`],
      };
      const running = await world.submit(body);
      await world.working(running);
      const blocked = await world.submit({ claims: { write: ['kept.txt'], resources: ['db'] }, implement: ['true'] });
      await world.reached(blocked, 'blocked');
      const after = await world.submit({ dependsOn: [running], implement: ['true'] });
      const base = `task:${keeper}`;
      const above = await world.submit({ base, dependsOn: [running], implement: ['echo on > on.txt'] });
      const { submittedAt } = await client.get(running);

      const text = await exported(world);
      const { header, tasks } = readExport(text);
      expect(header).toMatchObject({ queue: world.queue, kept: 1, limits: { 'resource:db': 1 } });
      // The finished one is there for the one that builds upon it.
      expect(tasks.map(({ id, ended }) => [id, ended])).toEqual([
        [keeper, 'succeeded'],
        ...[running, blocked, after, above].map((id) => [id, null]),
      ]);
      await worker?.kill();
      await lose(world);

      await expect(client.get(running)).rejects.toMatchObject({ code: 'TASK_LOST' });
      const imported = await importQueue(client.queue, text);
      expect(imported.tasks).toEqual([
        { id: keeper, state: 'succeeded', duplicate: false },
        ...[running, blocked].map((id) => ({ id, state: 'queued', duplicate: false })),
        ...[after, above].map((id) => ({ id, state: 'scheduled', duplicate: false })),
      ]);
      const again = await importQueue(client.queue, text);
      expect(again.tasks.map(({ duplicate }) => duplicate)).toEqual([true, true, true, true, true]);
      expect(again.kept.map(({ duplicate }) => duplicate)).toEqual([true]);
      expect(await client.status()).toMatchObject({ queued: 2, scheduled: 2, finished: 1 });
      expect(await client.get(running)).toMatchObject({ submittedAt, runs: 1, branch: 'task/run' });
      expect(await client.submit({ title: 'A task', repo: remote.dir, ...body })).toMatchObject([
        { id: running, duplicate: true },
      ]);

      await world.startWorkers(1, { concurrency: 2 });
      await world.reached(blocked, 'blocked');
      expect((await client.explain(blocked)).blockedBy).toMatchObject([{ holder: { kind: 'merged', taskId: keeper } }]);
      world.openGate('go');
      expect(await world.ended(running)).toMatchObject({ state: 'succeeded', runs: 2, attempts: 1 });
      for (const id of [after, above]) expect(await world.ended(id)).toMatchObject({ state: 'succeeded' });
      expect(remote.show(`signalbox/${above}`, 'kept.txt')).toBe('kept\n');
      await client.releaseKept(keeper);
      expect(await world.ended(blocked)).toMatchObject({ state: 'succeeded' });
    },
    options,
  );

  systemTest(
    'finds what was published after it, and publishes it no second time',
    async (world) => {
      const remote = world.remote();
      const id = await world.submit({ branch: 'task/once', implement: ['date +%s%N > once.txt'] });
      const text = await exported(world);
      await world.startWorkers(1);
      const { commit } = await world.ended(id);
      expect(commit).toBe(remote.tip('task/once'));
      await lose(world);
      await importQueue(world.client.queue, text);
      const ended = await until('it has ended again', async () => {
        const task = await world.client.get(id);
        return task.state === 'succeeded' ? task : undefined;
      });
      expect(ended.commit).toBe(commit);
      expect(remote.published()).toHaveLength(1);
    },
    options,
  );
});
