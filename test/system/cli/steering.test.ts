import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { CliWorld } from '../../support/cli.ts';
import { until } from '../../support/system/until.ts';

const SIGNALBOX = `'${process.execPath}' '${fileURLToPath(new URL('../../../dist/src/cli/main.js', import.meta.url))}'`;

describe('claim add', () => {
  test('claims more from inside a step, and tells the step what is wrong with its request', async () => {
    await using world = new CliWorld();
    const { dir } = world.remote();
    const gate = join(world.dir, 'gate');
    await world.worker();
    const script = [
      `${SIGNALBOX} claim add 'src/**' docs/a.md --read lib --json`,
      `${SIGNALBOX} claim add ../x --json; echo "code $?"`,
      `${SIGNALBOX} claim add; echo "code $?"`,
      `until [ -e '${gate}' ]; do sleep 0.05; done`,
    ].join('\n');
    const id = await world.submit('--repo', dir, '--write', 'a', '--publish', 'none', '--run', script);
    const held = async (): Promise<string[]> => {
      const claims = (await world.json('claims')) as { held: { resource: string; mode: string }[] };
      return claims.held.map(({ resource, mode }) => `${resource} ${mode}`);
    };
    await until('it has more', async () => (await held()).includes('path:src write'));
    expect(await held()).toEqual(
      expect.arrayContaining(['path:a write', 'path:docs/a.md write', 'path:lib read', 'path:src write']),
    );
    world.file('gate', '');
    const task = await world.reached(id, 'succeeded');
    const tail = String(task.phases[1].steps[0].outputTail);
    expect(tail).toContain('{"claimed":{"write":["src/**","docs/a.md"],"read":["lib"]}}');
    expect(tail).toMatch(/"error":\{"code":"INVALID".*"field":"write\[0\]"/);
    expect(tail).toContain('There is no path to claim.');
    expect(tail.match(/code 2/g)).toHaveLength(2);
  });
});

describe('claims release', () => {
  test('gives up what a task keeps until its branch is merged, and who waits for it gets on', async () => {
    await using world = new CliWorld();
    const { dir } = world.remote();
    await world.worker();
    const file = world.file(
      'task.yaml',
      `title: Kept\nrepo: ${dir}\nbranch: work\nclaims: { write: [new.txt], until: merged }\nimplement: ['date > new.txt']\n`,
    );
    const { tasks } = (await world.json('submit', file)) as { tasks: { id: string }[] };
    const kept = tasks[0]?.id ?? '';
    const { runnerId } = (await world.reached(kept, 'succeeded')) as { runnerId: string };
    const waiting = await world.submit('--repo', dir, '--write', 'new.txt', '--run', 'true');
    await world.reached(waiting, 'blocked');
    expect((await world.json('explain', waiting)).blockedBy[0]).toMatchObject({
      resource: 'path:new.txt',
      holder: { kind: 'merged', taskId: kept },
    });

    const { code, json } = await world.run(['claims', 'release', 'wrok', '--json']);
    expect(code).toBe(1);
    expect(json.error).toMatchObject({ code: 'NOT_FOUND', next: `Kept are the paths of work (${kept}).` });
    expect(await world.json('claims', 'release', 'work')).toEqual({
      released: [{ runnerId, taskId: kept, branch: 'work' }],
    });
    await world.reached(waiting, 'succeeded');
    expect((await world.json('claims')).held).toEqual([]);
  });
});

describe('pause and drain', () => {
  test('are seen by status, and a worker of `up` that was drained stays away', async () => {
    await using world = new CliWorld();
    const up = world.start(['up', '--workers', '2', '--json']);
    await until('up takes tasks', () => up.stdout.includes('\n'));
    expect(await world.json('pause')).toEqual({ paused: true, changed: true });
    expect((await world.run(['status'])).stdout).toMatch(/^paused · 0 running/);
    expect(await world.json('resume')).toEqual({ paused: false, changed: true });

    const { code, json } = await world.run(['drain', 'worker-3', '--json']);
    expect(code).toBe(1);
    expect(json.error).toMatchObject({ code: 'NOT_FOUND', next: expect.stringContaining('worker-') as string });
    const { workers } = (await world.json('drain', 'worker-1', '--wait')) as { workers: { name: string }[] };
    expect(workers.map(({ name }) => name)).toEqual(['worker-1']);
    await until('up says so', () => up.stderr.includes('worker-1 was drained and has left'));
    const { workers: left } = (await world.json('status')) as { workers: { name: string }[] };
    expect(left.map(({ name }) => name)).toEqual(['worker-2']);
    expect(up.isAlive).toBe(true);
    expect((await up.stop()).code).toBe(0);
    expect(up.stderr).not.toContain('started again');
  });
});
