import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { git } from '../support/system/remote.ts';
import { systemTest, type World } from '../support/system/world.ts';

describe('a branch that a person has changed while a task ran', () => {
  const cases: readonly (readonly [string, (world: World) => string | undefined])[] = [
    ['moved', ({ remotes }) => remotes[0]?.push('task/shared', { 'person.txt': 'mine\n' })],
    [
      'deleted',
      ({ remotes }) => {
        remotes[0]?.git('branch', '--quiet', '-D', 'task/shared');
        return undefined;
      },
    ],
  ];
  for (const [what, change] of cases) {
    systemTest(`is left as it is when it was ${what}; the task fails and keeps its work as a patch`, async (world) => {
      const remote = world.remote();
      remote.push('task/shared', { 'base.txt': 'base\n' });
      await world.startWorkers(1);
      const id = await world.submit({
        branch: 'task/shared',
        implement: ['echo work > work.txt', world.stamps.workUntil(world.gate('person'))],
      });
      await world.working(id);
      const persons = change(world);
      world.openGate('person');
      const task = await world.ended(id);
      expect(task).toMatchObject({ state: 'failed', code: 'publish_rejected', commit: null, attempts: 1, runs: 1 });
      expect(remote.tip('task/shared')).toBe(persons);
      expect(world.events('publish.rejected')).toMatchObject([{ taskId: id, branch: 'task/shared' }]);
      const patch = task.artifacts.find(({ kind }) => kind === 'patch');
      const checkout = remote.checkout(join(world.dir, 'checkout'));
      git(checkout, 'apply', '--index', join(world.dataDir, patch?.path ?? 'none'));
      expect(git(checkout, 'diff', '--cached', '--name-only')).toBe('work.txt\n');
    });
  }
});

describe('tasks on many branches', () => {
  systemTest('are all published, each on its own, by two workers at once', async (world) => {
    const remote = world.remote();
    await world.startWorkers(2);
    const tasks = Array.from({ length: 8 }, (_, i) => ({
      branch: `task/${i}`,
      claims: { write: [`file-${i}.txt`] },
      implement: [`${world.stamps.workFor(20)}; echo ${i} > file-${i}.txt`],
      test: [`test "$(cat file-${i}.txt)" = ${i}`],
    }));
    const ids = await world.submitAll(tasks);
    const ended = await Promise.all(ids.map((id) => world.ended(id)));
    expect(ended.map(({ state }) => state)).toEqual(tasks.map(() => 'succeeded'));
    for (const [i, { commit }] of ended.entries()) {
      expect(remote.tip(`task/${i}`)).toBe(commit);
      expect(remote.show(`task/${i}`, `file-${i}.txt`)).toBe(`${i}\n`);
      expect(remote.parents(`task/${i}`)).toEqual([remote.tip('main')]);
    }
    expect(world.events('undeclared.changed')).toEqual([]);
  });
});
