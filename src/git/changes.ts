/** A task's changes as a patch file: binary, with full object names, so that `git apply --binary` takes it. */

import { stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  checkGitFolder,
  controlDir,
  excludes,
  isInPlace,
  START_REF,
  type WorkspaceGit,
  workspaceGit,
} from './control.ts';
import type { Git } from './git.ts';
import type { ConfigEntry } from './git-env.ts';
import type { Oid } from './mirror.ts';

const PATCH = [
  '-p',
  '--binary',
  '--full-index',
  '--no-renames',
  '--no-ext-diff',
  '--no-textconv',
  '--ignore-submodules=none',
];

/** Writes the changes between two commits of a workspace to `file`; gives its size in bytes. */
export async function writePatch(
  git: Git,
  request: { dir: string; from: Oid; to: Oid; file: string; signal?: AbortSignal },
) {
  const { dir, from, to, file, signal } = request;
  await workspaceGit(git, dir)(['diff-tree', '-r', ...PATCH, from, to], { outputFile: file, signal });
  return (await stat(file)).size;
}

/** Whether a workspace was ever made whole: a worker may die in the middle of making it. */
export async function isWhole(git: Git, dir: string): Promise<boolean> {
  const gitDir = controlDir(dir);
  const args = ['rev-parse', '--verify', '--quiet', `${START_REF}^{tree}`];
  const index = await stat(join(gitDir, 'index')).catch(() => undefined);
  return index !== undefined && (await git(args, { gitDir, allow: [1, 128] })).exitCode === 0;
}

/**
 * Saves all that a workspace holds against its start, committed or not, before it is deleted; gives the size in
 * bytes, 0 for no change. Works on a damaged workspace too: without a usable index the one from before the first step is taken.
 * Repositories inside it are left out, and a workspace that a step has put something else in the place of is empty.
 */
export async function savePatch(
  git: Git,
  request: { dir: string; file: string; signal?: AbortSignal },
): Promise<number> {
  const { dir, file, signal } = request;
  if (!(await isInPlace(dir))) {
    // What lies there now is not the task's.
    await writeFile(file, '');
    return 0;
  }
  const run = await salvageGit(git, dir);
  const config = await excludes(dir);
  const but = (await nestedRepositories(run, config)).map((path) => `:(exclude,literal)${path}`);
  const env = { GIT_LITERAL_PATHSPECS: '0' };
  const paths = ['--', '.', ...but];
  await run(['add', '--all', '--sparse', '--ignore-errors', ...paths], { signal, config, env, allow: [1] });
  await run(['diff-index', '--cached', ...PATCH, START_REF, ...paths], { outputFile: file, signal, env });
  return (await stat(file)).size;
}

/** Git on the workspace's own index if it is sound, else on one in the control folder. */
async function salvageGit(git: Git, dir: string): Promise<WorkspaceGit> {
  const own = workspaceGit(git, dir);
  const sound = await checkGitFolder(dir).then(
    async () => (await own(['ls-files', '--error-unmatch', '-z', '--', '.'], { allow: [1, 128] })).exitCode !== 128,
    () => false,
  );
  if (sound) return own;
  const control = controlDir(dir);
  const objects = { GIT_OBJECT_DIRECTORY: join(control, 'objects') };
  const inControl = workspaceGit(git, dir, join(control, 'index'));
  return (args, options = {}) => inControl(args, { ...options, env: { ...objects, ...options.env } });
}

/** Folders with a `.git` of their own, tracked as such or not: git must not look into them. */
async function nestedRepositories(run: WorkspaceGit, config: readonly ConfigEntry[]): Promise<string[]> {
  const tracked = (await run(['ls-files', '--stage', '-z'])).stdout
    .split('\0')
    .filter((entry) => entry.startsWith('160000 '));
  const untracked = await run(['ls-files', '--others', '--exclude-standard', '-z'], { config });
  const others = untracked.stdout.split('\0').filter((path) => path.endsWith('/'));
  const paths = [...tracked.map((entry) => entry.slice(entry.indexOf('\t') + 1)), ...others];
  return paths.map((path) => path.replace(/\/$/, ''));
}
