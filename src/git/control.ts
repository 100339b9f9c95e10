/**
 * Git in a workspace that a task can write to, without reading one line of what the task could have written.
 *
 * Beside each workspace `<dir>` lies `<dir>.git`: the same `.git`, laid out beside it before any step ran. Signalbox
 * runs git with that as the git folder, so that configuration, attributes, hooks, aliases, filter drivers and a
 * `commondir` planted in `<dir>/.git` are never read, whenever they are planted. Only data is shared: the index and the
 * objects. (Overriding single settings is not enough: a filter driver may have any name, and `remote.*.uploadpack`
 * runs when an object is missing.) A step that goes looking for the copy outside its workspace has the worker's own
 * rights and needs no git to do harm: that is for the isolation of steps to stop.
 */

import { cp, lstat, readdir, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { SignalboxError } from '../errors.ts';
import type { Git, GitOptions, GitResult } from './git.ts';
import type { ConfigEntry } from './git-env.ts';

/** Names the start commit in the control folder. */
export const START_REF = 'refs/signalbox/start';

/** The folder of Signalbox's own git for a workspace. */
export function controlDir(workspaceDir: string): string {
  return `${workspaceDir}.git`;
}

const STEPS =
  'Look at what the steps do with the repository; they may commit, but not replace it or rewrite its history.';

/** Runs git on a workspace's files. */
export type WorkspaceGit = (args: readonly string[], options?: GitOptions) => Promise<GitResult>;

/** Git for the workspace at `dir`. `index` is the index file, by default the workspace's own. */
export function workspaceGit(git: Git, dir: string, index = join(dir, '.git', 'index')): WorkspaceGit {
  const env = { GIT_WORK_TREE: dir, GIT_INDEX_FILE: index, GIT_OBJECT_DIRECTORY: join(dir, '.git', 'objects') };
  return (args, options = {}) =>
    git(args, { ...options, gitDir: controlDir(dir), cwd: dir, env: { ...env, ...options.env } });
}

/**
 * Proves that the workspace is still where it was made and its `.git` a plain folder with plain data in it, and readies
 * what the index needs. A lock file in
 * it is removed: steps do not run while Signalbox works here. Throws `WORKSPACE`.
 */
export async function checkGitFolder(dir: string): Promise<void> {
  if (!(await isInPlace(dir))) throw damaged(dir, 'is not where it was: it is missing, or a link to something else');
  const gitDir = join(dir, '.git');
  for (const name of ['', 'objects', 'refs']) {
    const found = await lstat(join(gitDir, name)).catch(() => undefined);
    if (!found?.isDirectory())
      throw damaged(join('.git', name), found === undefined ? 'is missing' : 'is not a folder');
  }
  for (const name of ['HEAD', 'index']) {
    const found = await lstat(join(gitDir, name)).catch(() => undefined);
    if (!found?.isFile()) throw damaged(join('.git', name), found === undefined ? 'is missing' : 'is not a file');
  }
  await rm(join(gitDir, 'index.lock'), { force: true, recursive: true });
  await copySharedIndex(dir);
}

/** Whether a workspace and the folder of its run are still folders: git must not follow a link that a step put there. */
export async function isInPlace(dir: string): Promise<boolean> {
  const found = await Promise.all([dir, dirname(dir)].map(async (path) => await lstat(path).catch(() => undefined)));
  return found.every((one) => one?.isDirectory() === true);
}

/** A split index keeps most of itself in a second file that git looks for in its git folder. */
async function copySharedIndex(dir: string): Promise<void> {
  const names = (await readdir(join(dir, '.git'))).filter((name) => /^sharedindex\.[0-9a-f]+$/.test(name));
  for (const name of names) await cp(join(dir, '.git', name), join(controlDir(dir), name), { force: true });
}

/** The excludes that steps may have set for themselves; they name files, nothing more. */
export async function excludes(dir: string): Promise<readonly ConfigEntry[]> {
  const file = join(dir, '.git', 'info', 'exclude');
  const found = await lstat(file).catch(() => undefined);
  return found?.isFile() ? [['core.excludesFile', file]] : [];
}

/** The error for a workspace that is not what it was. */
export function damaged(what: string, how: string, next = STEPS): SignalboxError {
  return new SignalboxError('WORKSPACE', `the workspace is not sound: ${what} ${how}`, { next, details: { what } });
}
