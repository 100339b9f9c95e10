import { describe, expect } from 'vitest';
import { STORED_VERSION } from '../../../src/task/stored.ts';
import { readStored, writeStored } from '../../support/system/stored-record.ts';
import { until } from '../../support/system/until.ts';
import { systemTest, type World } from '../../support/system/world.ts';

const NEWER = STORED_VERSION + 1;

/** Stores a task as a newer version would: with its own number, and with a field that nobody knows yet. */
async function storeAsNewer({ client }: World, id: string): Promise<() => Promise<unknown>> {
  const { envelope = '' } = await readStored(client.queue, id);
  const { task } = JSON.parse(envelope) as { task: object };
  await writeStored(client.queue, id, { envelope: JSON.stringify({ v: NEWER, task: { ...task, futureField: {} } }) });
  return async () => await writeStored(client.queue, id, { envelope });
}

describe('a task that a newer version has stored', () => {
  systemTest('is left alone by old workers, which say so, and run by the first that can read it', async (world) => {
    const remote = world.remote();
    const branch = 'task/upgrade';
    const [worker] = await world.startWorkers(1);
    const holder = await world.submit({ branch, implement: [world.stamps.workUntil(world.gate('go'))] });
    await world.working(holder);
    const newer = await world.submit({ branch, implement: [`${world.stamps.workFor(1)}; echo newer > newer.txt`] });
    await world.reached(newer, 'blocked');
    const behind = await world.submit({ branch, implement: [`${world.stamps.workFor(1)}; echo behind > behind.txt`] });
    await world.reached(behind, 'blocked');
    const unwanted = await world.submit({ branch, implement: [world.stamps.workFor(1)] });
    await world.reached(unwanted, 'blocked');
    const storeAsBefore = await storeAsNewer(world, newer);
    await storeAsNewer(world, unwanted);
    world.openGate('go');

    // What was reserved for it goes to the next in line, and the worker lives.
    expect(await world.ended(behind)).toMatchObject({ state: 'succeeded', attempts: 1 });
    const met = (): number => world.events('task.too_new').filter(({ taskId }) => taskId === newer).length;
    await until('it was met twice', () => met() >= 2);
    expect(world.events('task.too_new')[0]).toMatchObject({
      workerId: worker?.id,
      version: NEWER,
      reads: STORED_VERSION,
    });
    const waiting = await until('it is queued', async () => {
      const task = await world.client.get(newer);
      return task.state === 'queued' ? task : undefined;
    });
    expect(waiting).toMatchObject({ attempts: 0, runs: 0, crashes: 0, code: null, error: null });
    const { summary, next } = await world.client.explain(newer);
    expect(summary).toContain('newer version');
    expect(summary).toContain('too old');
    expect(next).toContain('Start a worker');
    await world.client.cancel(unwanted);
    expect(await world.ended(unwanted)).toMatchObject({ state: 'cancelled', runs: 0 });
    await expect(world.client.retry(unwanted)).rejects.toMatchObject({ code: 'UNSUPPORTED' });

    // As if a worker of the newer version had come: it reads what this one could not.
    await storeAsBefore();
    expect(await world.ended(newer)).toMatchObject({ state: 'succeeded', attempts: 1, runs: 1, crashes: 0 });
    expect(remote.show(branch, 'newer.txt')).toBe('newer\n');
    // It comes back after a pause: two met it no more often than that allows, in all this time.
    const times = world.events('task.too_new').filter(({ taskId }) => taskId === newer);
    for (const [i, { time }] of times.slice(1).entries())
      expect(Date.parse(String(time)) - Date.parse(String(times[i]?.['time']))).toBeGreaterThan(2_000);
    expect(world.events('job.set_aside')).toEqual([]);
  });
});
