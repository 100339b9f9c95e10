/** Whether tasks are being taken: told by a job that stands for none. */

import { expect, test } from 'vitest';
import { register, registeredWorkers } from '../../../src/runner/registry.ts';
import { readReadiness } from '../../../src/server/readiness.ts';
import { DashboardWorld, gate } from './support.ts';

test('without a worker it is not ready, with one it is, and the canary leaves nothing behind', async () => {
  await using world = await DashboardWorld.open();
  const before = await world.ask('//readyz');
  expect([before.status, before.json]).toMatchObject([503, { code: 'NOT_READY', detail: 'No worker is running.' }]);
  await world.work({ work: async () => {} });
  expect(await readReadiness(world.box.queue)).toEqual({ ready: true, workers: 1, canary: 'taken' });
  expect(await world.box.queue.bull.have(['canary'])).toEqual([false]);
  expect(await world.box.list()).toEqual([]);
});

test('workers that are busy, and a pause, are not called unready', async () => {
  await using world = await DashboardWorld.open();
  const { handler, open } = gate();
  await world.work({ work: handler }, { concurrency: 1 });
  const id = await world.submit();
  await world.reached(id, 'running');
  expect(await readReadiness(world.box.queue)).toMatchObject({ ready: true, canary: 'busy' });
  open();
  await world.reached(id, 'succeeded');
  await world.box.pause();
  expect(await readReadiness(world.box.queue)).toMatchObject({ ready: true, canary: 'paused' });
});

test('a worker that is registered and takes nothing is found out', async () => {
  await using world = await DashboardWorld.open();
  const { redis, keys } = world.box.queue;
  const facts = { id: 'w-x', name: 'x', host: 'h', pid: 1, concurrency: 2, startedAt: new Date().toISOString() };
  const unregister = await register(facts, { redis, keys, leaseTtlMs: 60_000, renewEveryMs: 20_000 });
  try {
    expect(await registeredWorkers(redis, keys)).toHaveLength(1);
    expect(await readReadiness(world.box.queue, 300)).toEqual({ ready: false, workers: 1, canary: 'not_taken' });
    expect(await world.box.queue.bull.have(['canary'])).toEqual([false]);
  } finally {
    await unregister();
  }
});
