import { mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { git, makeRemote, readBranches } from '../../../scripts/demo/remote.ts';

let dir: string;
let project: string;
let remote: string;

beforeEach(async () => {
  dir = await realpath(await mkdtemp(join(tmpdir(), 'signalbox-demo-remote-')));
  project = join(dir, 'project');
  remote = join(dir, 'remote.git');
  await mkdir(project);
  await writeFile(join(project, '.gitignore'), 'node_modules/\n');
  await mkdir(join(project, 'node_modules'));
  await writeFile(join(project, 'node_modules/x.js'), 'x\n');
});

afterEach(async () => {
  await rm(dir, { recursive: true, force: true });
});

async function commit(message: string): Promise<void> {
  await writeFile(join(project, 'file.txt'), `${message}\n`);
  await git(['-C', project, 'add', '--all']);
  await git(['-C', project, 'commit', '--quiet', '--message', message]);
}

const subjects = async (): Promise<string[]> =>
  (await git(['--git-dir', remote, 'log', '--format=%s', 'main'])).trim().split('\n');

describe('the remote of the demo', () => {
  it('has the whole history of a checkout, also of one without a branch', async () => {
    await git(['init', '--quiet', '--initial-branch=other', project]);
    await commit('first');
    await commit('second');
    await git(['-C', project, 'checkout', '--quiet', '--detach']);
    expect(await makeRemote(project, remote)).toBe('history');
    expect(await subjects()).toEqual(['second', 'first']);
    expect((await git(['--git-dir', remote, 'symbolic-ref', 'HEAD'])).trim()).toBe('refs/heads/main');
  });

  it('is one commit of the files of an unpacked archive, without what is ignored', async () => {
    await writeFile(join(project, 'file.txt'), 'text\n');
    expect(await makeRemote(project, remote)).toBe('files');
    expect(await subjects()).toHaveLength(1);
    expect((await git(['--git-dir', remote, 'ls-tree', '-r', '--name-only', 'main'])).split('\n')).toEqual([
      '.gitignore',
      'file.txt',
      '',
    ]);
  });

  it('is one commit for a shallow clone, and for a folder inside another repository', async () => {
    await git(['init', '--quiet', project]);
    await commit('first');
    await commit('second');
    const shallow = join(dir, 'shallow');
    await git(['clone', '--quiet', '--depth=1', `file://${project}`, shallow]);
    expect(await makeRemote(shallow, remote)).toBe('files');
    const inside = join(project, 'inside');
    await mkdir(inside);
    await writeFile(join(inside, 'own.txt'), 'own\n');
    expect(await makeRemote(inside, join(dir, 'second.git'))).toBe('files');
  });

  it('shows its branches with their commits since the base, oldest first, their tasks and files', async () => {
    await git(['init', '--quiet', '--initial-branch=main', project]);
    await commit('first');
    await makeRemote(project, remote);
    const base = (await git(['--git-dir', remote, 'rev-parse', 'main'])).trim();
    await commit('second\n\nSignalbox-Task: t-1');
    await commit('third\n\nSignalbox-Task: t-2\nSignalbox-Task: t-3');
    await git(['-C', project, 'push', '--quiet', remote, 'HEAD:refs/heads/work']);
    const branches = await readBranches(remote, base);
    expect(branches.map(({ name, commits }) => [name, commits.map(({ tasks, files }) => [tasks, files])])).toEqual([
      ['main', []],
      [
        'work',
        [
          [['t-1'], ['file.txt']],
          [['t-2', 't-3'], ['file.txt']],
        ],
      ],
    ]);
  });
});
