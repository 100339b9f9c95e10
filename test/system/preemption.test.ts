import { describe, expect } from 'vitest';
import { systemTest, type TestTask, type World } from '../support/system/world.ts';

/** Works in two steps, each until its gate is open; the first leaves a file behind. */
function inTwoSteps(world: World, more: Partial<TestTask> = {}): TestTask {
  return {
    branch: 'task/low',
    claims: { write: ['src/**'] },
    implement: [`echo half > half.txt; ${world.stamps.workUntil(world.gate('first'))}`, 'echo whole > whole.txt'],
    priority: 'low',
    ...more,
  };
}

function preemptor(world: World, more: Partial<TestTask> = {}): TestTask {
  return {
    branch: 'task/high',
    claims: { write: ['src/a.ts'] },
    implement: [world.stamps.workUntil(world.gate('second'))],
    onConflict: 'preempt',
    ...more,
  };
}

describe('a task whose policy is to preempt', () => {
  systemTest(
    'stops a lower one between two steps, whose work is kept, and which runs again uncharged',
    async (world) => {
      world.remote();
      await world.startWorkers(2);
      const low = await world.submit(inTwoSteps(world));
      await world.working(low);
      const high = await world.submit(preemptor(world));
      await world.reached(high, 'blocked');
      // What comes free is kept for it: neither an equal nor its victim gets in before it.
      const rival = await world.submit(
        inTwoSteps(world, { branch: 'task/rival', implement: [world.stamps.workFor(5)] }),
      );
      await world.reached(rival, 'blocked');
      world.openGate('first');
      await world.working(high);
      const stopped = await world.reached(low, 'blocked');
      expect(stopped).toMatchObject({ attempts: 0, runs: 1 });
      expect(stopped.artifacts.map(({ kind }) => kind)).toContain('patch');
      expect(stopped.history.map(({ reason }) => reason)).toContainEqual(expect.stringContaining('made way'));
      world.openGate('second');
      expect(await world.ended(low)).toMatchObject({ state: 'succeeded', attempts: 1, runs: 2, crashes: 0 });
      expect(world.remotes[0]?.show('task/low', 'whole.txt')).toBe('whole\n');
      await world.drained();
      expect(
        world.stamps
          .intervals()
          .map(({ taskId }) => taskId)
          .indexOf(high),
      ).toBe(1);
    },
  );

  systemTest('stops one at once that may be stopped at any time, and none twice in a row', async (world) => {
    world.remote();
    await world.startWorkers(2);
    const low = await world.submit(inTwoSteps(world, { preemptible: 'anytime' }));
    await world.working(low);
    const high = await world.submit(preemptor(world));
    await world.working(high);
    await world.reached(low, 'blocked');
    world.openGate('second');
    await world.ended(high);
    await world.working(low, 2);
    const again = await world.submit(preemptor(world, { branch: 'task/again' }));
    await world.reached(again, 'blocked');
    world.openGate('first');
    expect(await world.ended(low)).toMatchObject({ state: 'succeeded', runs: 2, attempts: 1 });
    await world.drained();
    expect(world.stamps.intervals().map(({ taskId }) => taskId)).toEqual([low, high, low, again]);
  });

  systemTest('waits for one of its own priority, and for one that may not be stopped', async (world) => {
    world.remote();
    await world.startWorkers(2);
    const never = await world.submit(inTwoSteps(world, { preemptible: 'never' }));
    await world.working(never);
    const equal = await world.submit(preemptor(world, { priority: 'low', branch: 'task/equal' }));
    const high = await world.submit(preemptor(world));
    for (const id of [equal, high]) await world.reached(id, 'blocked');
    world.openGate('first');
    expect(await world.ended(never)).toMatchObject({ state: 'succeeded', runs: 1 });
    world.openGate('second');
    await world.drained();
    expect(world.stamps.intervals().map(({ taskId }) => taskId)).toEqual([never, high, equal]);
  });

  systemTest('whose victim is not asked any more once it has left the line', async (world) => {
    world.remote();
    await world.startWorkers(2);
    const low = await world.submit(inTwoSteps(world));
    await world.working(low);
    const high = await world.submit(preemptor(world));
    await world.reached(high, 'blocked');
    expect(await world.client.cancel(high)).toBe('cancelled');
    world.openGate('first');
    expect(await world.ended(low)).toMatchObject({ state: 'succeeded', runs: 1 });
  });
});
