import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { meet } from '../support/system/stamps.ts';
import { systemTest } from '../support/system/world.ts';

describe('two tasks on one branch', () => {
  systemTest('the second waits before any work, and starts from what the first has published', async (world) => {
    const remote = world.remote();
    await world.startWorkers(2);
    const branch = 'feature/login';
    const first = await world.submit({
      branch,
      implement: ['echo 1 > one.txt', world.stamps.workUntil(world.gate('first'))],
    });
    await world.working(first);
    const second = await world.submit({
      branch,
      implement: [world.stamps.workFor(50), 'test -e one.txt', 'echo 2 > two.txt'],
    });

    const blocked = await world.reached(second, 'blocked');
    expect(blocked.conflicts).toMatchObject([{ resource: `branch:${branch}`, holderTaskId: first }]);
    expect(blocked).toMatchObject({ runs: 0, workspace: null, startedAt: null });
    expect(await world.client.explain(second)).toMatchObject({
      state: 'blocked',
      position: 1,
      blockedBy: [{ resource: `branch:${branch}`, mode: 'write', holder: { kind: 'run', taskId: first } }],
    });

    world.openGate('first');
    const [one, two] = [await world.ended(first), await world.ended(second)];
    expect([one.state, two.state]).toEqual(['succeeded', 'succeeded']);
    expect(remote.tip(branch)).toBe(two.commit);
    expect(remote.parents(branch)).toEqual([one.commit]);
    expect(two.blockedMs).toBeGreaterThan(0);
  });

  systemTest('run together when the branch is in two repositories', async (world) => {
    const [here, there] = [world.remote('here'), world.remote('there')];
    await world.startWorkers(1);
    const task = { branch: 'same', implement: [world.stamps.workUntil(world.gate('both')), 'echo done > done.txt'] };
    const ids = await world.submitAll([here, there].map(({ dir }) => ({ ...task, repo: dir })));
    await Promise.all(ids.map((id) => world.working(id)));
    world.openGate('both');
    await world.drained();
    const [a, b] = world.stamps.intervals();
    expect(a !== undefined && b !== undefined && meet(a, b)).toBe(true);
    expect([here.show('same', 'done.txt'), there.show('same', 'done.txt')]).toEqual(['done\n', 'done\n']);
  });

  systemTest('wait for each other however the repository is spelled', async (world) => {
    const remote = world.remote();
    const checkout = remote.checkout(join(world.dir, 'checkout'));
    const spellings = [
      remote.dir,
      `file://${remote.dir}`,
      `${remote.dir}/`,
      checkout,
      join(remote.dir, '..', 'remote-1.git'),
    ];
    await world.startWorkers(2);
    const work = [world.stamps.workFor(100), 'echo "$SIGNALBOX_TASK_ID" >> log.txt'];
    const ids = await world.submitAll(spellings.map((repo) => ({ repo, branch: 'one', implement: work })));
    await world.drained();
    const tasks = await Promise.all(ids.map((id) => world.client.get(id)));
    expect(tasks.map(({ state }) => state)).toEqual(spellings.map(() => 'succeeded'));
    expect(remote.show('one', 'log.txt').trim().split('\n').sort()).toEqual([...ids].sort());
  });
});
