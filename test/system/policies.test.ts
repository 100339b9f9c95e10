import { describe, expect } from 'vitest';
import { processesOf } from '../support/system/processes.ts';
import { until } from '../support/system/until.ts';
import { systemTest, type TestTask, type World } from '../support/system/world.ts';

/** Tasks of handlers make no checkout, so their repository need not exist. */
const repo = 'https://git.example.com/acme/app.git';

/** A task that has `src/a.ts` until its gate is open. */
async function holdPath(world: World, gate = 'holder'): Promise<string> {
  const id = await world.submit({ repo, claims: { write: ['src/a.ts'] }, implement: [world.handled({ gate })] });
  await world.working(id);
  return id;
}

function wanting(world: World, more: Partial<TestTask> = {}): TestTask {
  return { repo, claims: { write: ['src/**'] }, implement: [world.handled({ ms: 10 })], ...more };
}

describe('a task whose claim is held', () => {
  systemTest('waits in line, and explain names the true holder and its place', async (world) => {
    await world.startWorkers(2);
    const holder = await holdPath(world);
    const [first, second, urgent] = await world.submitAll([
      wanting(world),
      wanting(world),
      wanting(world, { priority: 'urgent' }),
    ]);
    for (const id of [first, second, urgent]) await world.reached(id ?? '', 'blocked');
    const { runnerId, workerId } = await world.client.get(holder);
    const blockedBy = [
      { resource: 'path:src/a.ts', mode: 'write', holder: { kind: 'run', taskId: holder, runnerId, workerId } },
    ];
    expect(await world.client.explain(urgent ?? '')).toMatchObject({ position: 1, ahead: [], blockedBy });
    expect(await world.client.explain(first ?? '')).toMatchObject({ position: 2, ahead: [urgent], blockedBy });
    expect(await world.client.explain(second ?? '')).toMatchObject({ position: 3, ahead: [urgent, first], blockedBy });
    const { held, waiting } = await world.client.claims();
    expect(held.filter(({ resource }) => resource.startsWith('path:'))).toMatchObject([
      { resource: 'path:src/a.ts', mode: 'write', taskId: holder, runnerId },
    ]);
    expect(waiting.map(({ taskId, position }) => [taskId, position])).toEqual([
      [urgent, 1],
      [first, 2],
      [second, 3],
    ]);
    world.openGate('holder');
    await world.drained();
    expect(world.stamps.intervals().map(({ taskId }) => taskId)).toEqual([holder, urgent, first, second]);
  });

  systemTest('ends as wait_timeout when it has waited for as long as it wants to', async (world) => {
    await world.startWorkers(1);
    const holder = await holdPath(world);
    const id = await world.submit(wanting(world, { waitTimeout: '1500ms' }));
    const { state, code, runs, attempts, blockedMs, error } = await world.ended(id);
    expect({ state, code, runs, attempts }).toEqual({ state: 'failed', code: 'wait_timeout', runs: 0, attempts: 0 });
    expect(error).toContain(holder);
    expect(blockedMs).toBeGreaterThanOrEqual(1_500);
    expect(await world.client.claims()).toMatchObject({ waiting: [] });
    world.openGate('holder');
  });

  systemTest('ends as conflict at once when it does not want to wait', async (world) => {
    await world.startWorkers(1);
    const holder = await holdPath(world);
    const id = await world.submit(wanting(world, { onConflict: 'fail' }));
    const { state, code, runs, conflicts, history } = await world.ended(id);
    expect({ state, code, runs }).toEqual({ state: 'failed', code: 'conflict', runs: 0 });
    expect(conflicts).toMatchObject([{ holderTaskId: holder }]);
    expect(history.map((entry) => entry.state)).toEqual(['queued', 'failed']);
    expect(world.stamps.of(holder)[0]?.ended).toBe(false);
    world.openGate('holder');
  });

  systemTest('is skipped at once when its policy is to skip', async (world) => {
    await world.startWorkers(1);
    const holder = await holdPath(world);
    const id = await world.submit(wanting(world, { onConflict: 'skip' }));
    const after = await world.submit({ ...wanting(world), dependsOn: [id] });
    const { state, code, runs, conflicts } = await world.ended(id);
    expect({ state, code, runs }).toEqual({ state: 'skipped', code: 'conflict', runs: 0 });
    expect(conflicts).toMatchObject([{ holderTaskId: holder, resource: 'path:src' }]);
    expect(await world.ended(after)).toMatchObject({ state: 'skipped', code: 'dependency_failed' });
    world.openGate('holder');
  });

  systemTest(
    'runs beside the holders of its paths when its policy is to proceed, never on a held branch',
    async (world) => {
      await world.startWorkers(2);
      const holder = await holdPath(world);
      const beside = await world.submit(wanting(world, { onConflict: 'proceed' }));
      expect(await world.ended(beside)).toMatchObject({
        state: 'succeeded',
        conflicts: [{ holderTaskId: holder, resource: 'path:src' }],
      });
      expect(world.stamps.of(holder)[0]?.ended).toBe(false);
      expect(world.events('claim.proceeded')).toMatchObject([{ taskId: beside, holderTaskId: holder }]);

      const branch = 'task/one';
      const onBranch = await world.submit({ repo, branch, implement: [world.handled({ gate: 'branch' })] });
      await world.working(onBranch);
      const waits = await world.submit(wanting(world, { branch, onConflict: 'proceed' }));
      await world.reached(waits, 'blocked');
      expect((await world.client.explain(waits)).blockedBy).toMatchObject([{ resource: 'branch:task/one' }]);
      world.openGate('branch');
      expect(await world.ended(waits)).toMatchObject({ state: 'succeeded' });
      expect(world.stamps.of(holder)[0]?.ended).toBe(false);
      world.openGate('holder');
    },
  );

  systemTest('takes the place of older tasks on its branch when its policy is to supersede', async (world) => {
    await world.startWorkers(2);
    const branch = 'task/one';
    const work = { repo, branch, implement: [world.handled({ gate: 'never' })] };
    const running = await world.submit(work);
    await world.working(running);
    const waiting = await world.submit(work);
    await world.reached(waiting, 'blocked');
    const elsewhere = await world.submit({ ...work, branch: 'task/two', implement: [world.handled({ ms: 10 })] });
    const newest = await world.submit({
      ...work,
      implement: [world.handled({ ms: 10 })],
      onConflict: 'supersede',
    });
    for (const id of [running, waiting]) {
      expect(await world.ended(id)).toMatchObject({ state: 'cancelled', code: 'superseded', attempts: 0 });
    }
    for (const id of [newest, elsewhere]) expect(await world.ended(id)).toMatchObject({ state: 'succeeded' });
  });

  systemTest('frees its place in line when it is cancelled', async (world) => {
    await world.startWorkers(2);
    const holder = await holdPath(world);
    const [first = '', second = ''] = await world.submitAll([wanting(world), wanting(world)]);
    await Promise.all([first, second].map((id) => world.reached(id, 'blocked')));
    expect(await world.client.explain(second)).toMatchObject({ position: 2, ahead: [first] });
    expect(await world.client.cancel(first)).toBe('cancelled');
    expect(await world.client.get(first)).toMatchObject({ state: 'cancelled', code: 'cancelled', runs: 0 });
    expect(await world.client.explain(second)).toMatchObject({ position: 1, ahead: [] });
    await expect(world.client.cancel(first)).rejects.toMatchObject({ code: 'STATE' });
    world.openGate('holder');
    await world.drained();
    expect(world.stamps.intervals().map(({ taskId }) => taskId)).toEqual([holder, second]);
  });
});

describe('cancelling a running task', () => {
  systemTest('ends all of its processes, and who waits for it gets on', async (world) => {
    world.remote();
    await world.startWorkers(2);
    const branch = 'task/one';
    const leave = `setsid sh -c 'while :; do sleep 1; done' & ${world.stamps.workUntil(world.gate('never'))}`;
    const running = await world.submit({ branch, implement: ['echo half > half.txt', leave] });
    await world.working(running);
    const waiting = await world.submit({ branch, implement: [world.stamps.workFor(10), 'echo done > done.txt'] });
    await world.reached(waiting, 'blocked');
    await until('the grandchild is there', () => processesOf([running]).length >= 3);

    expect(await world.client.cancel(running)).toBe('requested');
    expect(await world.ended(running)).toMatchObject({
      state: 'cancelled',
      code: 'cancelled',
      attempts: 0,
      commit: null,
    });
    expect(processesOf([running])).toEqual([]);
    expect(await world.ended(waiting)).toMatchObject({ state: 'succeeded', code: null });
    expect(world.remotes[0]?.git('ls-tree', '--name-only', branch)).toBe('README.md\ndone.txt\n');
  });
});
