import { describe, expect } from 'vitest';
import { until } from '../support/system/until.ts';
import { systemTest, type TestTask, type World } from '../support/system/world.ts';

const repo = 'https://git.example.com/acme/app.git';

/** More tasks than are kept by default after their end. */
const KEEP_ALL = { SIGNALBOX_HISTORY_LIMIT: '5000' };

function short(world: World, more: Partial<TestTask> = {}): TestTask {
  return { repo, publish: 'none', implement: [world.handled({ ms: 1 })], ...more };
}

describe('who starts next', () => {
  systemTest('of a thousand tasks in line for one branch is always the first', async (world) => {
    await world.startWorkers(2, { concurrency: 8, env: KEEP_ALL });
    const branch = 'task/one';
    const holder = await world.submit({
      repo,
      branch,
      publish: 'none',
      implement: [world.handled({ gate: 'holder' })],
    });
    await world.working(holder);
    const waiting = await world.submitAll(Array.from({ length: 1_000 }, () => short(world, { branch })));
    await until('all are in line', async () => (await world.client.status()).blocked === waiting.length, 60_000);
    world.openGate('holder');
    await world.drained();
    expect(world.stamps.intervals().map(({ taskId }) => taskId)).toEqual([holder, ...waiting]);
  });

  systemTest('is a single task of an owner who has nothing in line, before another’s thousand', async (world) => {
    await world.startWorkers(2, { concurrency: 2, env: { ...KEEP_ALL, SIGNALBOX_MAX_PARALLEL_RUNNERS: '1' } });
    const many = await world.submitAll(Array.from({ length: 1_000 }, () => short(world, { owner: 'many' })));
    await world.working(many[20] ?? '');
    const single = await world.submit(short(world, { owner: 'single' }));
    const acceptedAt = Date.now();
    await world.ended(single);
    const started = world.stamps.of(single)[0]?.start ?? Number.NaN;
    const between = world.stamps.intervals().filter(({ start }) => start > acceptedAt && start < started);
    // The one that was being taken at that moment runs; none after it.
    expect(between.length).toBeLessThanOrEqual(1);
    expect(world.stamps.intervals().length).toBeLessThan(900);
  });

  systemTest('with equal shares is each owner in turn, and with weights twice as often', async (world) => {
    await world.startWorkers(1, { concurrency: 1 });
    await world.client.queue.line.setLimit('weight:heavy', 2);
    const gate = await world.submit({ repo, publish: 'none', implement: [world.handled({ gate: 'begin' })] });
    await world.working(gate);
    const owners = new Map<string, string>();
    for (const owner of ['light', 'heavy']) {
      const ids = await world.submitAll(Array.from({ length: 30 }, () => short(world, { owner })));
      for (const id of ids) owners.set(id, owner);
    }
    world.openGate('begin');
    await world.drained();
    const order = world.stamps.intervals().map(({ taskId }) => owners.get(taskId));
    const heavy = order.slice(1, 31).filter((owner) => owner === 'heavy').length;
    expect(heavy).toBeGreaterThanOrEqual(19);
    expect(heavy).toBeLessThanOrEqual(21);
  });
});
