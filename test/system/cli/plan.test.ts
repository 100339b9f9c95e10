import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { CliWorld } from '../../support/cli.ts';

const NOWHERE = { REDIS_URL: 'redis://127.0.0.1:1' };

test('a plan needs no queue, and says what is claimed, what conflicts and in which waves all would run', async () => {
  await using world = new CliWorld();
  const { dir } = world.remote();
  const task = (title: string, write: string, more: object = {}) => ({
    title,
    repo: dir,
    implement: ['true'],
    claims: { write: [write] },
    ...more,
  });
  const file = join(world.dir, 'tasks.json');
  const tasks = [
    task('auth', 'src/auth/**', { idempotencyKey: 'auth' }),
    task('login', 'src/auth/{a,b}.ts'),
    task('docs', 'docs/*.md', { dependsOn: ['auth'] }),
  ];
  writeFileSync(file, JSON.stringify(tasks));
  const { code, json, stderr } = await world.run(['plan', file, '--json'], { env: NOWHERE });
  expect(code).toBe(0);
  expect(json).toMatchObject({
    waves: [[0], [1, 2]],
    conflicts: [{ a: 0, b: 1, resource: 'path:src/auth' }],
    makespanMs: 120_000,
    criticalPath: [0, 1],
  });
  expect((json as { tasks: { claims: unknown }[] }).tasks.map(({ claims }) => claims)).toEqual([
    [{ resource: 'path:src/auth', mode: 'write' }],
    [{ resource: 'path:src/auth', mode: 'write' }],
    [{ resource: 'path:docs', mode: 'write' }],
  ]);
  expect(stderr).toContain('No queue can be reached');
  const capped = await world.run(['plan', file, '--parallel', '1', '--json'], { env: NOWHERE });
  expect((capped.json as { waves: unknown }).waves).toEqual([[0], [1], [2]]);
});

test('a plan takes the cap and the durations of earlier tasks from the queue', async () => {
  await using world = new CliWorld();
  const { dir } = world.remote();
  await world.worker();
  const flags = ['--repo', dir, '--title', 'seen', '--run', 'sleep 0.2', '--publish', 'none'];
  expect((await world.run(['submit', ...flags, '--wait'])).code).toBe(0);
  await world.run(['limits', 'set', 'max_parallel_runners', '1']);
  const file = join(world.dir, 'tasks.json');
  const seen = { title: 'seen', repo: dir, implement: ['sleep 0.2'] };
  writeFileSync(file, JSON.stringify([seen, seen]));
  const { json } = await world.run(['plan', file, '--json']);
  expect(json).toMatchObject({ waves: [[0], [1]], maxParallelRunners: 1, tasks: [{ durationKnown: true }, {}] });
  const [first, second] = (json as { tasks: { startMs: number; durationMs: number }[] }).tasks;
  expect(first?.durationMs).toBeGreaterThanOrEqual(200);
  expect(first?.durationMs).toBeLessThan(60_000);
  expect(second?.startMs).toBe(first?.durationMs);
});

test('a plan refuses what submit refuses, and names the field', async () => {
  await using world = new CliWorld();
  const { dir } = world.remote();
  const file = join(world.dir, 'tasks.json');
  const task = { title: 'one', repo: dir, implement: ['true'] };
  writeFileSync(file, JSON.stringify([task, { ...task, claims: { write: ['../x'] } }]));
  const bad = await world.run(['plan', file, '--json'], { env: NOWHERE });
  expect(bad).toMatchObject({ code: 2, json: { error: { code: 'INVALID', field: '[1].claims.write[0]' } } });
  writeFileSync(file, JSON.stringify([task, { ...task, dependsOn: ['two'] }]));
  const unknown = await world.run(['plan', file, '--json'], { env: NOWHERE });
  expect(unknown).toMatchObject({ code: 2, json: { error: { code: 'INVALID', field: '[1].dependsOn[0]' } } });
  expect((await world.run(['plan', '--json'])).code).toBe(2);
});
