import { describe, expect } from 'vitest';
import { until } from '../support/system/until.ts';
import { systemTest, type TestTask, type World } from '../support/system/world.ts';

/** Appends a line to a file that it does not claim, so that nothing but the landing orders it. */
function appending(branch: string, text: string, more: Partial<TestTask> = {}): TestTask {
  return {
    branch,
    claims: { undeclared: 'warn' },
    implement: [`echo ${text} >> list.txt`],
    publish: 'land',
    ...more,
  };
}

describe('a task that lands', () => {
  systemTest('moves base forward, one after the other, each tested on what it lands on', async (world) => {
    const remote = world.remote();
    await world.startWorkers(2);
    const before = remote.tip('main');
    const ids = await world.submitAll(
      ['a', 'b', 'c', 'd'].map((name) => ({
        branch: `task/${name}`,
        claims: { write: [`${name}.txt`] },
        implement: [`echo ${name} > ${name}.txt`],
        // The last thing that is tested is what lands.
        test: ['ls *.txt | wc -l >> $SIGNALBOX_WORKSPACE.tested; true'],
        publish: 'land' as const,
      })),
    );
    for (const id of ids) expect(await world.ended(id)).toMatchObject({ state: 'succeeded', runs: 1 });
    expect(remote.git('ls-tree', '--name-only', 'main')).toBe('README.md\na.txt\nb.txt\nc.txt\nd.txt\n');
    expect(remote.git('log', '--merges', '--format=%H', 'main')).toBe('');
    expect(remote.git('rev-list', '--count', `${before}..main`).trim()).toBe('4');
    for (const name of ['a', 'b', 'c', 'd']) {
      expect(remote.git('merge-base', '--is-ancestor', `task/${name}`, 'main')).toBe('');
    }
  });

  systemTest('and does not apply any more is done again on the new base', async (world) => {
    const remote = world.remote('app', { 'list.txt': 'first\n' });
    await world.startWorkers(1);
    const gate = world.gate('begin');
    const id = await world.submit(
      appending('task/one', 'mine', { implement: ['echo mine >> list.txt', world.stamps.workUntil(gate)] }),
    );
    await world.working(id);
    remote.push('main', { 'list.txt': 'first\nby a person\n' });
    world.openGate('begin');
    expect(await world.ended(id)).toMatchObject({ state: 'succeeded', runs: 2, attempts: 2 });
    expect(remote.show('main', 'list.txt')).toBe('first\nby a person\nmine\n');
  });

  systemTest('ends as land_conflict after its last attempt, with the work on its branch', async (world) => {
    const remote = world.remote('app', { 'list.txt': 'first\n' });
    await world.startWorkers(1);
    const id = await world.submit(
      appending('task/one', 'mine', {
        attempts: 1,
        implement: ['echo mine >> list.txt', world.stamps.workUntil(world.gate('begin'))],
      }),
    );
    await world.working(id);
    const person = remote.push('main', { 'list.txt': 'first\nby a person\n' });
    world.openGate('begin');
    const { state, code, error, commit } = await world.ended(id);
    expect({ state, code }).toEqual({ state: 'failed', code: 'land_conflict' });
    expect(error).toContain('list.txt');
    expect(commit).toBe(remote.tip('task/one'));
    expect(remote.show('task/one', 'list.txt')).toBe('first\nmine\n');
    expect(remote.tip('main')).toBe(person);
  });

  systemTest('whose test fails on the new base does not land', async (world) => {
    const remote = world.remote();
    await world.startWorkers(1);
    const id = await world.submit({
      branch: 'task/one',
      attempts: 1,
      implement: ['echo one > one.txt', world.stamps.workUntil(world.gate('begin'))],
      test: ['[ ! -e other.txt ]'],
      publish: 'land',
    });
    await world.working(id);
    const person = remote.push('main', { 'other.txt': 'by a person\n' });
    world.openGate('begin');
    expect(await world.ended(id)).toMatchObject({ state: 'failed', code: 'land_conflict' });
    expect(remote.tip('main')).toBe(person);
  });
});

describe('a task that builds on another', () => {
  systemTest('waits for it, and starts from its result', async (world) => {
    const remote = world.remote();
    await world.startWorkers(2);
    const [below = '', above = ''] = await world.submitAll([
      {
        branch: 'task/below',
        idempotencyKey: 'below',
        implement: [world.stamps.workUntil(world.gate('below')), 'echo below > below.txt'],
      },
      { branch: 'task/above', base: 'task:below', implement: ['cp below.txt above.txt'] },
    ]);
    await world.working(below);
    expect(await world.client.get(above)).toMatchObject({ state: 'scheduled' });
    world.openGate('below');
    expect(await world.ended(above)).toMatchObject({ state: 'succeeded' });
    expect(remote.show('task/above', 'above.txt')).toBe('below\n');
    expect(remote.parents('task/above')).toEqual([remote.tip('task/below')]);
  });
});

describe('paths that are kept until the branch is merged', () => {
  const kept = (world: World): Promise<string> =>
    world.submit({
      branch: 'task/kept',
      claims: { write: ['src/**'], until: 'merged' },
      implement: ['mkdir -p src; echo kept > src/a.ts'],
    });

  systemTest(
    'block others without a runner, but not who builds upon it, until a person merges it',
    async (world) => {
      const remote = world.remote();
      await world.startWorkers(2);
      const first = await kept(world);
      expect(await world.ended(first)).toMatchObject({ state: 'succeeded' });
      // Its branch and its place in the owner's count are given back in the moment after its end.
      const held = await until('only its paths are left', async () => {
        const { held: now } = await world.client.claims();
        return now.length === 1 ? now : undefined;
      });
      expect(held).toMatchObject([{ resource: 'path:src', mode: 'write', taskId: first }]);
      const other = await world.submit({ branch: 'task/other', claims: { write: ['src/a.ts'] }, implement: ['true'] });
      await world.reached(other, 'blocked');
      expect((await world.client.explain(other)).blockedBy).toMatchObject([
        { holder: { kind: 'merged', taskId: first } },
      ]);
      const branch = 'task/stacked';
      const stacked = await world.client.hold({ repo: remote.dir, branch }, async () => {
        const id = await world.submit({
          branch,
          base: `task:${first}`,
          claims: { write: ['src/a.ts'] },
          implement: ['echo stacked >> src/a.ts'],
        });
        await world.reached(id, 'blocked');
        const { blockedBy } = await world.client.explain(id);
        expect(blockedBy.map(({ resource }) => resource)).toEqual([`branch:${branch}`]);
        return id;
      });
      expect(await world.ended(stacked)).toMatchObject({ state: 'succeeded' });
      expect((await world.client.get(other)).state).toBe('blocked');
      remote.git('update-ref', 'refs/heads/main', remote.tip('task/kept') ?? '');
      expect(await world.ended(other)).toMatchObject({ state: 'succeeded', runs: 1 });
    },
    { leaseTtl: '2s' },
  );

  systemTest(
    'are free when the branch is gone',
    async (world) => {
      const remote = world.remote();
      await world.startWorkers(1);
      const first = await kept(world);
      expect(await world.ended(first)).toMatchObject({ state: 'succeeded' });
      remote.git('update-ref', '-d', 'refs/heads/task/kept');
      await until('nothing is held', async () => (await world.client.claims()).held.length === 0);
      world.ledger.delete(first);
      const again = await world.submit({ branch: 'task/again', claims: { write: ['src/**'] }, implement: ['true'] });
      expect(await world.ended(again)).toMatchObject({ state: 'succeeded' });
      // Its branch went with a person's leave.
      remote.git('update-ref', 'refs/heads/task/kept', (await world.client.get(first)).commit ?? '');
    },
    { leaseTtl: '2s' },
  );
});
