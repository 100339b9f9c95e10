/** The demo's remote: a bare repository with this project's own history, or with its files if it has none. */

import { execFile } from 'node:child_process';
import { realpath } from 'node:fs/promises';
import { devNull } from 'node:os';
import { promisify } from 'node:util';
import type { BranchFacts, CommitFacts } from './check.ts';

const run = promisify(execFile);

/** The branch that everything starts from. */
export const BASE = 'main';

/** Calls git without the user's settings and hooks. */
export async function git(args: readonly string[]): Promise<string> {
  const identity = ['-c', 'user.name=Signalbox demo', '-c', 'user.email=demo@localhost'];
  const { stdout } = await run('git', ['-c', `core.hooksPath=${devNull}`, ...identity, ...args], {
    env: { PATH: process.env['PATH'], LC_ALL: 'C', GIT_CONFIG_GLOBAL: devNull, GIT_CONFIG_NOSYSTEM: '1' },
    maxBuffer: 64 * 1024 * 1024,
  });
  return stdout;
}

/**
 * Makes the bare repository `dir` out of the project in `root`. Its history comes along when `root` is a checkout with
 * all of it; an unpacked archive, a shallow clone or a folder inside another repository becomes a single commit.
 */
export async function makeRemote(root: string, dir: string): Promise<'history' | 'files'> {
  await git(['init', '--quiet', '--bare', `--initial-branch=${BASE}`, dir]);
  if (await hasHistory(root)) {
    await git(['--git-dir', dir, 'fetch', '--quiet', '--no-tags', root, `HEAD:refs/heads/${BASE}`]);
    return 'history';
  }
  const tree = ['--git-dir', dir, '--work-tree', root];
  await git([...tree, 'add', '--all', '--', root]);
  await git([...tree, 'commit', '--quiet', '--message', 'All files']);
  return 'files';
}

async function hasHistory(root: string): Promise<boolean> {
  try {
    const args = ['rev-parse', '--show-toplevel', '--is-shallow-repository', '--verify', 'HEAD^{commit}'];
    const [top = '', shallow] = (await git(['-C', root, ...args])).split('\n');
    return shallow === 'false' && (await realpath(top)) === (await realpath(root));
  } catch {
    return false;
  }
}

/** Every branch of the remote with its commits since `base`, oldest first. */
export async function readBranches(dir: string, base: string): Promise<BranchFacts[]> {
  const names = await git(['--git-dir', dir, 'for-each-ref', '--format=%(refname:short)', 'refs/heads']);
  return await Promise.all(
    names
      .split('\n')
      .filter((name) => name !== '')
      .map(async (name) => ({ name, commits: await readCommits(dir, `${base}..refs/heads/${name}`) })),
  );
}

async function readCommits(dir: string, range: string): Promise<CommitFacts[]> {
  const format = '--format=%x01%H%x00%(trailers:key=Signalbox-Task,valueonly,separator=%x20)%x00';
  const text = await git(['--git-dir', dir, 'log', '--reverse', '--no-renames', '--name-only', format, range, '--']);
  return text
    .split('\u0001')
    .slice(1)
    .map((entry) => {
      const [oid = '', tasks = '', files = ''] = entry.split('\0');
      return { oid, tasks: words(tasks, ' '), files: words(files, '\n') };
    });
}

function words(text: string, separator: string): string[] {
  return text.split(separator).filter((word) => word !== '');
}
