import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { CliWorld } from '../../support/cli.ts';
import { processesOf } from '../../support/system/processes.ts';
import { until } from '../../support/system/until.ts';

/** A step that goes on until a file is there, saying so. */
function waitsFor(gate: string): string {
  return `echo waiting; until [ -e ${gate} ]; do sleep 0.05; done; echo done`;
}

const ISO = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

describe('a task that ends', () => {
  test('is waited for, and shown with the fields of the contract', async () => {
    await using world = new CliWorld();
    const { dir } = world.remote();
    await world.worker();
    const flags = [
      '--repo',
      dir,
      '--write',
      'new.txt',
      '--branch',
      'work',
      '--run',
      'date > new.txt',
      '--test',
      'true',
    ];
    const { code, json, stderr } = await world.run(['submit', ...flags, '--wait', '--json']);
    expect(code).toBe(0);
    expect(json).toEqual({ tasks: [{ id: expect.any(String) as string, state: 'succeeded', duplicate: false }] });
    expect(stderr).toContain('succeeded: date > new.txt');
    const id = String(json.tasks[0].id);
    const task = await world.json('show', id);
    expect(Object.keys(task as object).toSorted()).toEqual(
      [
        ...['id', 'state', 'code', 'title', 'repo', 'branch', 'base', 'owner', 'spec', 'priority', 'attempts', 'runs'],
        ...['crashes', 'retryOf', 'submittedAt', 'startedAt', 'finishedAt', 'waitMs', 'blockedMs', 'host', 'runnerId'],
        ...[
          'workerId',
          'workspace',
          'isolation',
          'concurrentRunners',
          'fenceToken',
          'fence',
          'commit',
          'error',
          'phases',
        ],
        ...['conflicts', 'filesChanged', 'artifacts', 'history'],
      ].toSorted(),
    );
    expect(task).toMatchObject({
      id,
      state: 'succeeded',
      code: null,
      branch: 'work',
      runs: 1,
      filesChanged: ['new.txt'],
    });
    expect(task.submittedAt).toMatch(ISO);
    expect((task.phases as { name: string }[]).map(({ name }) => name)).toEqual([
      ...['prepare', 'implement', 'test', 'publish', 'archive'],
    ]);
    expect(Object.keys(task.phases[1] as object)).toEqual(['name', 'state', 'startedAt', 'durationMs', 'steps']);
    expect(Object.keys(task.phases[1].steps[0] as object)).toEqual(['name', 'exitCode', 'durationMs', 'outputTail']);
    expect(Object.keys(task.artifacts[0] as object)).toEqual(['kind', 'path', 'bytes', 'sha256']);
    expect(task.history[0]).toEqual({ state: 'queued', at: expect.stringMatching(ISO) as string, reason: 'submitted' });
    expect(await world.json('list')).toEqual({
      tasks: [
        ...[{ id, state: 'succeeded', code: null, title: 'date > new.txt', branch: 'work' }].map((one) => ({
          ...one,
          owner: task.owner as string,
          priority: 'normal',
          attempts: task.attempts as number,
        })),
      ],
    });
    const { stdout } = await world.run(['show', id]);
    expect(stdout).toContain('succeeded');
    expect(stdout).toMatch(/implement +ok/);
  });

  test('otherwise than by success gives 4 and an error beside the tasks, and can be retried as a new task', async () => {
    await using world = new CliWorld();
    const { dir } = world.remote();
    await world.worker();
    const flags = ['--repo', dir, '--attempts', '1', '--run', 'echo out; exit 7'];
    const { code, json } = await world.run(['submit', ...flags, '--wait', '--json']);
    expect(code).toBe(4);
    const [{ id }] = json.tasks as [{ id: string }];
    expect(json).toEqual({
      tasks: [{ id, state: 'failed', duplicate: false }],
      error: {
        code: 'TASK_FAILED',
        message: `Task ${id} ended as failed (implement_failed).`,
        next: `See why with \`signalbox explain ${id}\` and \`signalbox logs ${id}\`.`,
      },
    });
    const logs = await world.json('logs', id);
    expect(logs).toEqual({ id, run: 1, host: expect.any(String) as string, complete: true, lines: ['out'] });
    expect((await world.run(['logs', id])).stdout).toBe('out\n');
    const again = await world.run(['retry', id, '--wait', '--json']);
    expect(again.code).toBe(4);
    const next = String(again.json.tasks[0].id);
    expect(next).not.toBe(id);
    expect((await world.json('show', next)).retryOf).toBe(id);
  });

  test('by a conflict that it may not wait for gives 3', async () => {
    await using world = new CliWorld();
    const { dir } = world.remote();
    const gate = join(world.dir, 'gate');
    await world.worker();
    const holder = await world.submit('--repo', dir, '--write', 'src/**', '--run', waitsFor(gate));
    await world.reached(holder, 'running');
    const flags = ['--repo', dir, '--write', 'src/a.ts', '--on-conflict', 'fail', '--run', 'true'];
    const { code, json } = await world.run(['submit', ...flags, '--wait', '--json']);
    expect({ code, error: json.error.code }).toEqual({ code: 3, error: 'CONFLICT' });
    expect((await world.run(['retry', holder, '--json'])).json.error.code).toBe('STATE');
    world.file('gate', '');
    await world.reached(holder, 'succeeded');
  });
});

describe('while tasks run and wait', () => {
  test('claims, explain and status name holder and place; cancel frees a place at once and stops a runner', async () => {
    await using world = new CliWorld();
    const { dir } = world.remote();
    const gate = join(world.dir, 'gate');
    await world.worker('--concurrency', '3', '--name', 'one');
    const holder = await world.submit('--repo', dir, '--write', 'src/**', '--branch', 'b', '--run', waitsFor(gate));
    await world.reached(holder, 'running');
    const blocked = await world.submit('--repo', dir, '--write', 'src/a.ts', '--run', 'true');
    await world.reached(blocked, 'blocked');

    const status = await world.json('status');
    expect(status).toMatchObject({
      maxParallelRunners: null,
      queued: 0,
      scheduled: 0,
      blocked: 1,
      running: 1,
      finished: 0,
    });
    const [worker] = status.workers as Record<string, unknown>[];
    expect(Object.keys(worker!)).toEqual(['id', 'name', 'host', 'pid', 'concurrency', 'running', 'leaseMs']);
    expect(worker).toMatchObject({ name: 'one', concurrency: 3, running: 1 });
    const [runner] = status.runners as Record<string, unknown>[];
    expect(Object.keys(runner!)).toEqual([
      ...['id', 'taskId', 'workerId', 'phase', 'workspace', 'startedAt', 'claims'],
    ]);
    expect(runner).toMatchObject({ taskId: holder, workerId: worker!['id'] });

    const claims = await world.json('claims', '--repo', dir);
    const who = {
      taskId: holder,
      runnerId: runner!['id'],
      workerId: worker!['id'],
      since: expect.stringMatching(ISO) as string,
    };
    const repo = expect.any(String) as string;
    expect(claims.held).toEqual([
      { repo, resource: 'branch:b', mode: 'write', ...who },
      { repo, resource: 'path:src', mode: 'write', ...who },
    ]);
    expect(claims.waiting).toEqual([
      {
        taskId: blocked,
        resource: 'path:src',
        position: 1,
        since: who.since,
        passedOver: 0,
        holder: { kind: 'run', ...who },
      },
    ]);
    expect(await world.json('explain', blocked)).toEqual({
      id: blocked,
      state: 'blocked',
      summary: expect.stringContaining(holder) as string,
      blockedBy: [{ resource: 'path:src', mode: 'write', holder: { kind: 'run', ...who } }],
      position: 1,
      ahead: [],
      chain: [
        { taskId: blocked, resource: 'path:src', mode: 'write', kind: 'run', holderTaskId: holder, since: who.since },
      ],
      estimatedStartAt: null,
      next: expect.stringContaining(`signalbox cancel ${holder}`) as string,
    });

    expect(await world.json('cancel', blocked)).toEqual({ tasks: [{ id: blocked, result: 'cancelled' }] });
    expect((await world.json('claims')).waiting).toEqual([]);
    const { code, json } = await world.run(['cancel', holder, blocked, '--wait', '--json']);
    expect(json.tasks).toEqual([{ id: holder, result: 'requested' }]);
    expect({ code, error: json.error.code }).toEqual({ code: 1, error: 'STATE' });
    expect(await world.json('show', holder)).toMatchObject({ state: 'cancelled', code: 'cancelled' });
    expect(processesOf([holder])).toEqual([]);
    expect((await world.json('claims')).held).toEqual([]);
  });

  test('a limit holds from the moment it is set, and so does taking it away', async () => {
    await using world = new CliWorld();
    const { dir } = world.remote();
    const gate = join(world.dir, 'gate');
    await world.worker('--concurrency', '4');
    expect(await world.json('limits')).toEqual({ limits: { max_parallel_runners: null } });
    expect(await world.json('limits', 'set', 'max_parallel_runners', '1')).toEqual({
      limits: { max_parallel_runners: 1 },
    });
    const ids = await Promise.all([1, 2].map(async () => await world.submit('--repo', dir, '--run', waitsFor(gate))));
    await until('one runs and one is queued', async () => {
      const { running, queued } = (await world.json('status')) as { running: number; queued: number };
      return running === 1 && queued === 1;
    });
    expect(await world.json('limits', 'set', 'max_parallel_runners', 'none')).toEqual({
      limits: { max_parallel_runners: null },
    });
    for (const id of ids) await world.reached(id, 'running');
    world.file('gate', '');
    for (const id of ids) await world.reached(id, 'succeeded');
  });

  test('logs -f prints what comes, from run to run, until the task has ended', async () => {
    await using world = new CliWorld();
    const { dir } = world.remote();
    const gate = join(world.dir, 'gate');
    const id = await world.submit(
      ...[
        '--repo',
        dir,
        '--attempts',
        '2',
        '--run',
        `echo run $SIGNALBOX_RUN; ${waitsFor(gate)}; [ $SIGNALBOX_RUN = 2 ]`,
      ],
    );
    const following = world.start(['logs', id, '-f']);
    await until('it says that the task waits', () => following.stderr.includes('its output follows'));
    await world.worker();
    await until('the first run is seen while it runs', () => following.stdout.includes('run 1\nwaiting\n'));
    expect((await world.json('show', id)).state).toBe('running');
    world.file('gate', '');
    const { code, stdout } = await following.ended();
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'run 1\nwaiting\ndone\nrun 2\nwaiting\ndone\n' });
  });

  test('status --watch prints each change where there is no terminal, until it is signalled', async () => {
    await using world = new CliWorld();
    const { dir } = world.remote();
    const watch = world.start(['status', '--watch']);
    await until('it has looked', () => watch.stdout.includes('No worker is running'));
    await world.submit('--repo', dir, '--run', 'true');
    await until('it has seen the task', () => watch.stdout.includes('1 queued'));
    expect((await watch.stop('SIGINT')).code).toBe(0);
  });
});

describe('a worker that is signalled', () => {
  test('lets a run end, and a second signal gives it back to the queue, uncharged', async () => {
    await using world = new CliWorld();
    const { dir } = world.remote();
    const gate = join(world.dir, 'gate');
    const first = await world.worker();
    const id = await world.submit('--repo', dir, '--run', waitsFor(gate));
    await world.reached(id, 'running');
    first.child.kill('SIGTERM');
    await until('it drains', () => first.stderr.includes('worker.draining'));
    expect((await world.json('show', id)).state).toBe('running');
    const { code } = await first.stop('SIGTERM');
    expect(code).toBe(0);
    expect(await world.json('show', id)).toMatchObject({ state: 'queued', attempts: 0 });
    expect(processesOf([id])).toEqual([]);
    world.file('gate', '');
    await world.worker();
    await world.reached(id, 'succeeded');
  });
});

test('prune saves and removes what a dead worker has left, and nothing that a live one owns', async () => {
  await using world = new CliWorld();
  const { dir } = world.remote();
  const gate = join(world.dir, 'gate');
  const dead = await world.worker();
  const lost = await world.submit('--repo', dir, '--run', `echo mine > work.txt; ${waitsFor(gate)}`);
  await until('its step has worked', async () => (await world.run(['logs', lost])).stdout.includes('waiting'));
  const first = String((await world.json('show', lost)).workspace);
  dead.child.kill('SIGKILL');
  await dead.ended();
  expect((await world.json('prune')).removed).toEqual([]);

  // One that works in another folder takes the task over and cannot reach what the dead one left.
  await world.worker('--data', join(world.dir, 'elsewhere'), '--concurrency', '1');
  await until(
    'it runs again',
    async () => (await world.json('show', lost)).runs === 2 && processesOf([lost]).length > 0,
  );
  const planned = (await world.json('prune', '--dry-run')) as { dryRun: boolean; removed: { path: string }[] };
  expect(planned.dryRun).toBe(true);
  expect(planned.removed.map(({ path }) => path).toSorted()).toEqual([dirname(first)]);
  expect(existsSync(first)).toBe(true);

  const pruned = (await world.json('prune')) as { removed: { kind: string; savedTo: string | null }[] };
  const saved = pruned.removed.find(({ kind }) => kind === 'run')?.savedTo ?? '';
  expect(readFileSync(saved, 'utf8')).toContain('+mine');
  expect(existsSync(first)).toBe(false);

  await world.worker();
  const alive = await world.submit('--repo', dir, '--run', waitsFor(gate));
  await until('its step runs', () => processesOf([alive]).length > 0);
  const second = String((await world.json('show', alive)).workspace);
  expect((await world.json('prune')).removed).toEqual([]);
  expect(existsSync(second)).toBe(true);
  world.file('gate', '');
  for (const id of [lost, alive]) await world.reached(id, 'succeeded');
});

test('doctor finds all well, and names a remote that cannot be reached', async () => {
  await using world = new CliWorld();
  const { dir } = world.remote();
  await world.worker();
  const { ok, checks } = (await world.json('doctor', '--repo', dir)) as {
    ok: boolean;
    checks: { name: string; ok: boolean }[];
  };
  expect(ok).toBe(true);
  for (const check of checks) expect(Object.keys(check)).toEqual(['name', 'ok', 'level', 'message', 'next']);
  expect(checks.map(({ name }) => name)).toEqual([
    ...[
      'redis',
      'redis-version',
      'redis-persistence',
      'redis-eviction',
      'redis-memory',
      'redis-clock',
      'redis-tls',
      'redis-user',
      'signing',
      'workers',
      'git',
      'git-hooks',
      'data-folder',
    ],
    ...['disk', 'isolation', 'remote', 'remote-fence', 'recovery'],
  ]);
  const { code, json } = await world.run(['doctor', '--repo', 'http://127.0.0.1:65535/a/b', '--json']);
  expect({ code, ok: json.ok }).toEqual({ code: 1, ok: false });
  expect(json.checks).toContainEqual(expect.objectContaining({ name: 'remote', ok: false, level: 'error' }));
});
