import { describe, expect } from 'vitest';
import { mostAtOnce } from '../support/system/stamps.ts';
import { until } from '../support/system/until.ts';
import type { WorkerProcess } from '../support/system/worker-process.ts';
import { systemTest, type TestTask, type World } from '../support/system/world.ts';

/** A repository for tasks of handlers, which never make a checkout. */
const repo = 'https://git.example.com/acme/app.git';
/** BullMQ's `drainDelay`: how late an idle worker would notice what nobody tells it of. */
const UNTOLD_MS = 5_000;

function gated(world: World, gate: string, more: Partial<TestTask> = {}): TestTask {
  return { repo, implement: [world.handled({ gate })], ...more };
}

function short(world: World, more: Partial<TestTask> = {}): TestTask {
  return { repo, implement: [world.handled({ ms: 20 })], ...more };
}

/** How many have begun. */
function begun(world: World): number {
  return world.stamps.intervals().length;
}

async function working(world: World, ids: readonly string[]): Promise<void> {
  for (const id of ids) await world.working(id);
}

describe('pause', () => {
  systemTest('lets what runs go on, starts nothing, and says so; resume goes on at once', async (world) => {
    await world.startWorkers(2);
    const claims = { write: ['a'] };
    const running = await world.submit(gated(world, 'running', { claims }));
    await world.working(running);
    const blocked = await world.submit(short(world, { claims }));
    await world.reached(blocked, 'blocked');

    expect(await world.client.pause()).toBe(true);
    expect(await world.client.pause()).toBe(false);
    const queued = await world.submit(short(world));
    expect(await world.client.status()).toMatchObject({ paused: true, running: 1, queued: 1, blocked: 1 });
    expect((await world.client.explain(queued)).next).toBe(
      'The queue is paused: let it go on with `signalbox resume`.',
    );
    world.openGate('running');
    expect((await world.ended(running)).state).toBe('succeeded');
    // What it held is free soon after it has ended, and still nobody may have it.
    await until('its claim is free', async () => (await world.client.claims()).held.length === 0);
    expect(await world.client.explain(blocked)).toMatchObject({
      state: 'blocked',
      summary: 'Nobody holds what it claims, but the queue is paused.',
    });
    expect(begun(world)).toBe(1);

    const resumedAt = Date.now();
    expect(await world.client.resume()).toBe(true);
    expect(await world.client.resume()).toBe(false);
    for (const id of [blocked, queued]) expect((await world.ended(id)).state).toBe('succeeded');
    expect(await world.client.status()).toMatchObject({ paused: false });
    for (const { start } of world.stamps.intervals().slice(1)) expect(start).toBeLessThan(resumedAt + UNTOLD_MS);
  });
});

describe('drain', () => {
  systemTest('lets one worker end what it runs and leave, while the other goes on', async (world) => {
    const [leaving, staying] = (await world.startWorkers(2, { concurrency: 1 })) as [WorkerProcess, WorkerProcess];
    const ids = await world.submitAll([gated(world, 'both'), gated(world, 'both')]);
    await working(world, ids);
    const next = await world.submitAll([short(world), short(world)]);

    await expect(world.client.drain([leaving.id, 'nobody'])).rejects.toMatchObject({ code: 'NOT_FOUND' });
    expect(leaving.has('worker.draining')).toBe(false);
    const drained = world.client.drain([leaving.id], { wait: true });
    await until('it drains', () => leaving.has('worker.draining'));
    expect(leaving.isAlive).toBe(true);
    world.openGate('both');
    expect(await drained).toEqual([{ id: leaving.id, name: leaving.id }]);
    await until('its process has ended', () => !leaving.isAlive);
    await until('it has said so', () => leaving.has('worker.stopped'));
    expect((await world.client.status()).workers.map(({ id }) => id)).toEqual([staying.id]);

    for (const id of ids) expect(await world.ended(id)).toMatchObject({ state: 'succeeded', runs: 1 });
    for (const id of next) expect(await world.ended(id)).toMatchObject({ workerId: staying.id, runs: 1 });
    // Without names all of them go.
    expect(await world.client.drain(undefined, { wait: true })).toMatchObject([{ id: staying.id }]);
    await until('no process is left', () => !staying.isAlive);
  });
});

describe('limits', () => {
  systemTest('of an owner hold over all workers, and a higher one takes effect at once', async (world) => {
    await world.client.setLimit('owner:ann', 2);
    await world.startWorkers(3, { concurrency: 2 });
    const ids = await world.submitAll(Array.from({ length: 5 }, () => gated(world, 'ann', { owner: 'ann' })));
    await until('two are at work', () => begun(world) === 2);
    await until('the others wait', async () => (await world.client.status()).blocked === 3);
    const other = await world.submit(short(world, { owner: 'bob' }));
    expect((await world.ended(other)).state).toBe('succeeded');
    const waiting = await Promise.all(ids.map(async (id) => await world.client.explain(id)));
    const resources = waiting.flatMap(({ blockedBy }) => blockedBy.map(({ resource }) => resource));
    expect(new Set(resources)).toEqual(new Set(['owner:ann']));
    expect(begun(world)).toBe(3);

    const raisedAt = Date.now();
    expect(await world.client.setLimit('owner:ann', 4)).toEqual({ max_parallel_runners: null, 'owner:ann': 4 });
    await until('two more are at work', () => begun(world) === 5);
    for (const { start } of world.stamps.intervals().slice(3)) expect(start).toBeLessThan(raisedAt + UNTOLD_MS);
    expect((await world.client.status()).running).toBe(4);
    world.openGate('ann');
    await world.drained();
    expect(mostAtOnce(world.stamps.intervals().filter(({ taskId }) => taskId !== other))).toBe(4);
  });

  systemTest('below what runs stop nobody and let nobody start until it fits', async (world) => {
    const claims = { resources: ['staging-db'] };
    await world.client.setLimit('resource:staging-db', 2);
    await world.startWorkers(2);
    const first = await world.submit(gated(world, 'first', { claims }));
    const second = await world.submit(gated(world, 'second', { claims }));
    await working(world, [first, second]);
    const third = await world.submit(gated(world, 'third', { claims }));
    await world.reached(third, 'blocked');

    await world.client.setLimit('resource:staging-db', 1);
    expect((await world.client.status()).running).toBe(2);
    await expect(world.client.setLimit('resource:staging-db', null)).rejects.toMatchObject({ code: 'STATE' });
    world.openGate('first');
    expect((await world.ended(first)).state).toBe('succeeded');
    // Whoever it lets in is served in the very script that frees it.
    expect(await world.client.explain(third)).toMatchObject({
      state: 'blocked',
      blockedBy: [{ resource: 'resource:staging-db', mode: 'slot', holder: { taskId: second } }],
    });
    expect(world.stamps.of(third)).toEqual([]);
    world.openGate('second');
    await world.working(third);
    world.openGate('third');
    await world.drained();
    const [, , late] = world.stamps.intervals();
    expect(late?.start).toBeGreaterThanOrEqual(world.stamps.of(second)[0]?.end ?? Number.NaN);
  });

  systemTest('of a resource give each holder a number of its own, and take a number again', async (world) => {
    world.remote();
    const claims = { resources: ['staging-db'] };
    await world.client.setLimit('resource:staging-db', 3);
    await world.startWorkers(2);
    const task = (gate: string): TestTask => ({
      claims,
      publish: 'none',
      implement: [`echo "slot=$SIGNALBOX_SLOT_STAGING_DB"; ${world.stamps.workUntil(world.gate(gate))}`],
    });
    const slotOf = async (id: string): Promise<string> => {
      const { phases } = await world.ended(id);
      return (
        /slot=(\d+)/.exec(phases.flatMap(({ steps }) => steps.map(({ outputTail }) => outputTail)).join(''))?.[1] ?? ''
      );
    };
    const ids = await world.submitAll(['one', 'all', 'all'].map(task));
    await working(world, ids);
    const next = await world.submit(task('all'));
    await world.reached(next, 'blocked');
    world.openGate('one');
    await world.working(next);
    world.openGate('all');
    const slots = await Promise.all(ids.map(slotOf));
    expect([...slots].sort()).toEqual(['1', '2', '3']);
    expect(await slotOf(next)).toBe(slots[0]);
  });
});
