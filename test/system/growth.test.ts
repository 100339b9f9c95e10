import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { systemTest, type TestTask, type World } from '../support/system/world.ts';

/** Writes a.txt, which it claims, and b.txt, which it does not; says each time that it does. */
function undeclared(world: World, more: Partial<TestTask> = {}): TestTask {
  const note = `echo $SIGNALBOX_RUN >> '${join(world.dir, 'implemented')}'`;
  return {
    branch: 'task/wide',
    claims: { write: ['a.txt'] },
    implement: [`${note}; echo a > a.txt; echo b > b.txt`],
    ...more,
  };
}

function holderOf(world: World, path: string, gate: string): TestTask {
  return { branch: `task/${gate}`, claims: { write: [path] }, implement: [world.stamps.workUntil(world.gate(gate))] };
}

function timesImplemented(world: World): number {
  return readFileSync(join(world.dir, 'implemented'), 'utf8').split('\n').length - 1;
}

describe('a file changed outside the claims', () => {
  systemTest('is claimed before it is published', async (world) => {
    const remote = world.remote();
    await world.startWorkers(1);
    const id = await world.submit(undeclared(world));
    expect(await world.ended(id)).toMatchObject({ state: 'succeeded', runs: 1 });
    expect(world.events('claim.grown')).toMatchObject([{ taskId: id, paths: ['b.txt'] }]);
    expect(remote.show('task/wide', 'b.txt')).toBe('b\n');
  });

  systemTest('of a younger task is waited for: the older keeps what it has', async (world) => {
    const remote = world.remote();
    await world.startWorkers(2);
    const older = await world.submit(
      undeclared(world, { implement: [world.stamps.workUntil(world.gate('begin')), 'echo b > b.txt'] }),
    );
    await world.working(older);
    const younger = await world.submit(holderOf(world, 'b.txt', 'younger'));
    await world.working(younger);
    world.openGate('begin');
    await world.claimGrowing(older);
    const { summary } = await world.client.explain(older);
    expect(summary).toContain('b.txt');
    expect(remote.tip('task/wide')).toBeUndefined();
    // Nobody gets in between: what a growth waits for is its own already.
    const late = await world.submit(holderOf(world, 'b.txt', 'late'));
    await world.reached(late, 'blocked');
    world.openGate('younger');
    expect(await world.ended(older)).toMatchObject({ state: 'succeeded', runs: 1 });
    world.openGate('late');
    expect(await world.ended(late)).toMatchObject({ state: 'succeeded' });
  });

  systemTest(
    'of an older task ends the run: its next one takes over the work, tests it and publishes',
    async (world) => {
      const remote = world.remote();
      await world.startWorkers(2);
      const older = await world.submit(holderOf(world, 'b.txt', 'older'));
      await world.working(older);
      const tested = `echo $SIGNALBOX_RUN >> '${join(world.dir, 'tested')}'`;
      const id = await world.submit(undeclared(world, { test: [tested] }));
      const given = await world.reached(id, 'blocked');
      expect(given).toMatchObject({ attempts: 0, runs: 1 });
      expect(remote.tip('task/wide')).toBeUndefined();
      // It holds nothing while it waits, and claims the union.
      const { held } = await world.client.claims();
      expect(held.filter(({ taskId }) => taskId === id)).toEqual([]);
      expect((await world.client.explain(id)).blockedBy).toMatchObject([
        { resource: 'path:b.txt', holder: { taskId: older } },
      ]);
      world.openGate('older');
      expect(await world.ended(id)).toMatchObject({ state: 'succeeded', attempts: 1, runs: 2 });
      expect(timesImplemented(world)).toBe(1);
      expect(readFileSync(join(world.dir, 'tested'), 'utf8')).toBe('1\n2\n');
      expect(remote.show('task/wide', 'b.txt')).toBe('b\n');
    },
  );

  systemTest('and what was taken over is done again if it fails there', async (world) => {
    const remote = world.remote();
    await world.startWorkers(2);
    const older = await world.submit(holderOf(world, 'b.txt', 'older'));
    await world.working(older);
    // Passes in the first run, and in the second one only what that run itself has made.
    const test = '[ $SIGNALBOX_RUN = 1 ] || grep -q 2 run.txt';
    const id = await world.submit(
      undeclared(world, {
        implement: [`echo x >> '${join(world.dir, 'implemented')}'; echo $SIGNALBOX_RUN > run.txt; echo b > b.txt`],
        test: [test],
      }),
    );
    await world.reached(id, 'blocked');
    world.openGate('older');
    expect(await world.ended(id)).toMatchObject({ state: 'succeeded', runs: 2 });
    expect(timesImplemented(world)).toBe(2);
    expect(remote.show('task/wide', 'run.txt')).toBe('2\n');
  });

  systemTest('is said or refused instead, where the task asks for that', async (world) => {
    const remote = world.remote();
    await world.startWorkers(1);
    const older = await world.submit(holderOf(world, 'b.txt', 'older'));
    await world.working(older);
    const warned = await world.submit(undeclared(world, { claims: { write: ['a.txt'], undeclared: 'warn' } }));
    expect(await world.ended(warned)).toMatchObject({ state: 'succeeded', runs: 1 });
    const refused = await world.submit(
      undeclared(world, { branch: 'task/refused', claims: { write: ['a.txt'], undeclared: 'fail' } }),
    );
    const { state, code, error, attempts } = await world.ended(refused);
    expect({ state, code, attempts }).toEqual({ state: 'failed', code: 'implement_failed', attempts: 1 });
    expect(error).toContain('b.txt');
    expect(remote.tip('task/refused')).toBeUndefined();
    world.openGate('older');
  });
});

describe('a handler that claims more', () => {
  const repo = 'https://git.example.com/acme/app.git';
  const growing = (world: World, has: string, wants: string): TestTask => ({
    repo,
    publish: 'none',
    claims: { write: [has] },
    implement: [
      world.handled({ gate: 'both' }),
      { handler: 'grow', input: { stamps: world.stamps.file, ms: 10, paths: [wants] } },
    ],
  });

  systemTest('crosswise with another one: the younger gives up, both end', async (world) => {
    await world.startWorkers(2);
    const older = await world.submit(growing(world, 'a', 'b'));
    const younger = await world.submit(growing(world, 'b', 'a'));
    for (const id of [older, younger]) await world.working(id);
    world.openGate('both');
    expect(await world.ended(older)).toMatchObject({ state: 'succeeded', runs: 1 });
    expect(await world.ended(younger)).toMatchObject({ state: 'succeeded', runs: 2, attempts: 1 });
  });

  systemTest('outside the repository fails with the path, and holds nothing of it', async (world) => {
    await world.startWorkers(1);
    const id = await world.submit({ ...growing(world, 'a', '../b'), attempts: 1 });
    world.openGate('both');
    const { state, error } = await world.ended(id);
    expect(state).toBe('failed');
    expect(error).toContain('../b');
  });
});
