import { expect } from 'vitest';
import { until } from '../../support/system/until.ts';
import { clusterTest } from './cluster-test.ts';
import { checkJob, submitJob } from './main-job.ts';

clusterTest(
  'lock servers: a queue that has forgotten a run does not start its like while the run goes on',
  async ({ servers, open }) => {
    const [queue, ...locks] = await Promise.all([0, 1, 2, 3].map(async () => await servers.start()));
    if (queue === undefined) throw new Error('there is no queue');
    const world = await open(queue.url);
    const remote = world.remote();
    const env = { SIGNALBOX_LOCK_REDIS: locks.map(({ url }) => url).join(',') };
    await world.startWorkers(2, { concurrency: 2, env });

    // Servers that have just been started do not vote for one lease.
    const step = `echo "$SIGNALBOX_TASK_ID" > run.txt; ${world.stamps.workUntil(world.gate('go'))}`;
    const task = { branch: 'task/twice', claims: { write: ['run.txt'] }, implement: [step] };
    const forgotten = await world.submit(task);
    await world.reached(forgotten, 'scheduled');
    const { summary } = await world.client.explain(forgotten);
    expect(summary).toMatch(/lock servers did not agree: .*started or emptied less than a lease ago/);
    await world.working(forgotten);
    expect(await world.client.get(forgotten), 'refused admissions are no runs').toMatchObject({ runs: 1, attempts: 0 });

    // Nothing tells its worker, and nobody but the lock servers knows of it any more.
    const frozen = await world.workerOf(forgotten);
    frozen.freeze();
    await queue.client.flushall();
    world.ledger.delete(forgotten);
    const second = await world.submit(task);
    await until('it was refused', () => world.events('claim.unconfirmed').some(({ taskId }) => taskId === second));
    await world.working(second);
    const [first] = world.stamps.of(forgotten);
    const [next] = world.stamps.of(second);
    expect(first?.end ?? Number.POSITIVE_INFINITY).toBeLessThan(next?.start ?? 0);
    frozen.thaw();
    world.openGate('go');
    await checkJob(world, [second]);
    expect(remote.show('task/twice', 'run.txt')).toBe(`${second}\n`);

    // One of them dead: the main job goes on.
    await locks[0]?.kill();
    await checkJob(world, await submitJob(world));
    for (const { client } of locks.slice(1)) {
      const isEmpty = async () => (await client.keys('*}:lock*:*')).length === 0;
      await until('no claim is left on a lock server', isEmpty);
    }
  },
);
