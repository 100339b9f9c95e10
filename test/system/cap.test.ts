import { describe, expect } from 'vitest';
import { mostAtOnce } from '../support/system/stamps.ts';
import { until } from '../support/system/until.ts';
import { systemTest } from '../support/system/world.ts';

/** A repository for tasks of handlers, which never make a checkout. */
const repo = 'https://git.example.com/acme/app.git';
/** BullMQ's `drainDelay`: how late an idle worker would notice a free slot that nobody tells it of. */
const UNTOLD_MS = 5_000;

describe('max_parallel_runners', () => {
  systemTest('is never exceeded by racing workers, is used up, and a free slot is filled at once', async (world) => {
    const cap = 3;
    await world.client.setLimit('max_parallel_runners', cap);
    await world.startWorkers(3);
    let most = 0;
    await world.submitAll(
      Array.from({ length: 60 }, (_, i) => ({ repo, implement: [world.handled({ ms: 10 + (i % 7) * 5 })] })),
    );
    await until('all have run', async () => {
      const { running, finished } = await world.client.status();
      most = Math.max(most, running);
      return finished === world.ledger.size;
    });
    const intervals = world.stamps.intervals();
    expect(intervals).toHaveLength(60);
    expect(mostAtOnce(intervals)).toBe(cap);
    expect(most).toBeLessThanOrEqual(cap);
    const starts = intervals.map(({ start }) => start);
    const pauses = starts.slice(1).map((start, i) => start - (starts[i] ?? start));
    expect(Math.max(...pauses)).toBeLessThan(UNTOLD_MS);
  });

  systemTest('lets waiting tasks start by priority, then by age', async (world) => {
    await world.client.setLimit('max_parallel_runners', 1);
    await world.startWorkers(2);
    const first = await world.submit({ repo, implement: [world.handled({ gate: 'first' })] });
    await world.working(first);
    const priorities = ['low', 'normal', 'high', 'normal', 'urgent', 'low'] as const;
    const ids: string[] = [];
    for (const priority of priorities)
      ids.push(await world.submit({ repo, priority, implement: [world.handled({ ms: 20 })] }));
    expect(await world.client.status()).toMatchObject({ maxParallelRunners: 1, running: 1, queued: 6, blocked: 0 });
    world.openGate('first');
    await world.drained();
    const order = world.stamps
      .intervals()
      .slice(1)
      .map(({ taskId }) => ids.indexOf(taskId));
    expect(order).toEqual([4, 2, 1, 3, 0, 5]);
  });

  systemTest('takes effect at once when it is raised, and when it is taken away', async (world) => {
    await world.client.setLimit('max_parallel_runners', 1);
    await world.startWorkers(2);
    const ids = await world.submitAll(
      Array.from({ length: 4 }, () => ({ repo, implement: [world.handled({ gate: 'all' })] })),
    );
    const atWork = (): number => world.stamps.intervals().length;
    await until('the first is at work', () => atWork() === 1);

    const raisedAt = Date.now();
    expect(await world.client.setLimit('max_parallel_runners', 2)).toEqual({ max_parallel_runners: 2 });
    await until('a second is at work', () => atWork() === 2);
    const freedAt = Date.now();
    await world.client.setLimit('max_parallel_runners', null);
    await until('all are at work', () => atWork() === ids.length);
    const [, second, ...others] = world.stamps.intervals().map(({ start }) => start);
    expect(second ?? Number.NaN).toBeLessThan(raisedAt + UNTOLD_MS);
    expect(Math.max(...others)).toBeLessThan(freedAt + UNTOLD_MS);
    world.openGate('all');
  });
});
