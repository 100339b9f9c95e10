import { readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import type { TaskView } from '../../src/index.ts';
import { git } from '../support/system/remote.ts';
import { systemTest, type World } from '../support/system/world.ts';

function artifact(world: World, task: TaskView, kind: string): string {
  const found = task.artifacts.find((one) => one.kind === kind);
  if (found === undefined) throw new Error(`${task.id} has no ${kind}: ${JSON.stringify(task.artifacts)}`);
  return join(world.dataDir, found.path);
}

function phasesOf({ phases }: TaskView): string[] {
  return phases.map(({ name, state }) => `${name} ${state}`);
}

describe('the phases of a run', () => {
  systemTest('come in order with their durations, and leave a commit and a diff that has new files', async (world) => {
    const remote = world.remote();
    await world.startWorkers(1);
    const id = await world.submit({
      title: 'Add a file',
      spec: 'files',
      branch: 'task/files',
      implement: [{ name: 'write', run: 'mkdir -p new && echo fresh > new/file.txt && echo more >> README.md' }],
      test: [['test', '-s', 'new/file.txt']],
    });
    const task = await world.ended(id);
    expect(task).toMatchObject({ state: 'succeeded', code: null, attempts: 1, runs: 1, error: null });
    const all = ['prepare', 'implement', 'test', 'publish', 'archive'].map((name) => `${name} succeeded`);
    // Archive is written while it is under way.
    expect(phasesOf(task).slice(0, 4)).toEqual(all.slice(0, 4));
    for (const { durationMs, startedAt } of task.phases) {
      expect(Date.parse(startedAt)).toBeGreaterThanOrEqual(Date.parse(task.startedAt ?? ''));
      expect(durationMs).toBeGreaterThanOrEqual(0);
    }
    const starts = task.phases.map(({ startedAt }) => startedAt);
    expect(starts).toEqual([...starts].sort());
    expect(task.phases[1]?.steps).toMatchObject([{ name: 'write', exitCode: 0 }]);
    expect([...task.filesChanged].sort()).toEqual(['README.md', 'new/file.txt']);
    const diff = readFileSync(artifact(world, task, 'diff'), 'utf8');
    expect(diff).toContain('+fresh');
    expect(diff).toContain('+more');
    expect(remote.tip('task/files')).toBe(task.commit);
    expect(remote.git('log', '-1', '--format=%B', 'task/files')).toContain(`feat(files): Add a file [Task ${id}]`);
  });

  systemTest('end at a test that fails: nothing is published, and the work is kept', async (world) => {
    const remote = world.remote();
    await world.startWorkers(1);
    const id = await world.submit({
      branch: 'task/bad',
      attempts: 1,
      implement: ['echo wrong > wrong.txt'],
      test: ['exit 3'],
    });
    const task = await world.ended(id);
    expect(task).toMatchObject({ state: 'failed', code: 'test_failed', attempts: 1, commit: null });
    expect(phasesOf(task).slice(0, 3)).toEqual(['prepare succeeded', 'implement succeeded', 'test failed']);
    expect(task.phases.map(({ name }) => name)).not.toContain('publish');
    expect(task.error).toContain('exited with 3');
    expect(remote.tip('task/bad')).toBeUndefined();
    expect(readFileSync(artifact(world, task, 'patch'), 'utf8')).toContain('+wrong');
  });

  systemTest('without a change are a success without a commit', async (world) => {
    const remote = world.remote();
    await world.startWorkers(1);
    const task = await world.ended(await world.submit({ branch: 'task/none', implement: ['true'], test: ['exit 1'] }));
    expect(task).toMatchObject({ state: 'succeeded', code: null, commit: null, filesChanged: [] });
    expect(phasesOf(task).slice(2, 4)).toEqual(['test skipped', 'publish skipped']);
    expect(remote.tip('task/none')).toBeUndefined();
  });

  systemTest('run all tests or stop at the first failure, as the task says', async (world) => {
    world.remote();
    await world.startWorkers(1);
    const test = ['exit 1', 'true', 'exit 2'].map((run, i) => ({ name: `test-${i + 1}`, run }));
    const task = { attempts: 1, implement: ['echo x > x.txt'], test };
    const [stopped = '', all = ''] = await world.submitAll([
      { ...task, failFast: true },
      { ...task, failFast: false },
    ]);
    const exitCodes = ({ phases }: TaskView): (number | null)[] =>
      phases.find(({ name }) => name === 'test')?.steps.map(({ exitCode }) => exitCode) ?? [];
    expect(exitCodes(await world.ended(stopped))).toEqual([1]);
    const second = await world.ended(all);
    expect(exitCodes(second)).toEqual([1, 0, 2]);
    expect(second.error).toMatch(/test-1.*test-3/);
  });
});

describe('a step', () => {
  systemTest('sees a small environment of its own, and nothing of its worker’s', async (world) => {
    const remote = world.remote();
    await world.startWorkers(1, { env: { CANARY: 'tweet', NPM_TOKEN: 'not-named' } });
    const id = await world.submit({ branch: 'task/env', env: { CI: '1' }, implement: ['env > env.txt'] });
    const { runnerId } = await world.ended(id);
    const lines = remote.show('task/env', 'env.txt').trim().split('\n');
    const env = new Map(lines.map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]));
    const shells = ['PWD', 'OLDPWD', 'SHLVL', '_'];
    const forGit = [
      ...['GIT_AUTHOR_EMAIL', 'GIT_AUTHOR_NAME', 'GIT_COMMITTER_EMAIL', 'GIT_COMMITTER_NAME'],
      ...['GIT_CONFIG_NOSYSTEM', 'GIT_SSH_COMMAND', 'GIT_TERMINAL_PROMPT'],
    ];
    const own = ['BRANCH', 'RUN', 'RUNNER_ID', 'SOCKET', 'TASK_ID', 'WORKSPACE'].map((name) => `SIGNALBOX_${name}`);
    expect([...env.keys()].filter((name) => !shells.includes(name)).sort()).toEqual(
      ['CI', ...forGit, 'HOME', 'PATH', ...own, 'TERM', 'TMPDIR'].sort(),
    );
    expect(env.get('SIGNALBOX_RUNNER_ID')).toBe(runnerId);
    expect(env.get('HOME')).not.toBe(join(world.dir, 'home'));
    expect(lines.join('\n')).not.toMatch(/tweet|not-named|redis:/);
  });
});

describe('publish: patch', () => {
  systemTest('leaves a patch that applies to the base, and the remote as it was', async (world) => {
    const remote = world.remote('bytes', { 'README.md': 'bytes\n', 'data.bin': '\0\u0001\n' });
    await world.startWorkers(1);
    const implement = ["printf '\\0\\2\\0' > data.bin", 'mkdir deep', 'echo text > deep/text.txt'];
    const task = await world.ended(await world.submit({ publish: 'patch', implement }));
    expect(task).toMatchObject({ state: 'succeeded', commit: null });
    const checkout = remote.checkout(join(world.dir, 'checkout'));
    git(checkout, 'apply', '--index', artifact(world, task, 'patch'));
    expect(readFileSync(join(checkout, 'data.bin'))).toEqual(Buffer.from([0, 2, 0]));
    expect(readFileSync(join(checkout, 'deep/text.txt'), 'utf8')).toBe('text\n');
    expect(remote.git('for-each-ref', '--format=%(refname)', 'refs/heads')).toBe('refs/heads/main\n');
  });
});

describe('what is missing', () => {
  systemTest('is named: a base, a program, a repository that has gone meanwhile', async (world) => {
    world.remote();
    const gone = world.remote('gone');
    await world.client.setLimit('max_parallel_runners', 1);
    const blocker = await world.submit({ implement: [world.handled({ gate: 'gone' })], priority: 'urgent' });
    await world.startWorkers(1);
    await world.working(blocker);
    const tasks = [{ base: 'no-such-branch' }, { implement: [['no-such-program', '--now']] }, { repo: gone.dir }];
    const ids = await world.submitAll(tasks.map((task) => ({ attempts: 1, implement: ['true'], ...task })));
    renameSync(gone.dir, `${gone.dir}.away`);
    world.openGate('gone');
    const [base, program, repository] = await Promise.all(ids.map((id) => world.ended(id)));
    expect(base).toMatchObject({ state: 'failed', code: 'workspace_failed', attempts: 1 });
    expect(base?.error).toContain('"no-such-branch"');
    expect(program).toMatchObject({ state: 'failed', code: 'implement_failed' });
    expect(program?.error).toContain('no-such-program');
    expect(repository).toMatchObject({ state: 'failed', code: 'workspace_failed' });
    expect(repository?.error).toContain(gone.dir);
    renameSync(`${gone.dir}.away`, gone.dir);
  });

  systemTest('is refused at submission when it can be seen there: a path without a repository', async (world) => {
    const repo = join(world.dir, 'nowhere');
    await expect(world.submit({ repo, implement: ['true'] })).rejects.toMatchObject({ code: 'INVALID', field: 'repo' });
  });
});
