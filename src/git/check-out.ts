/** Puts other content into a workspace that steps have worked in: a rebased commit, or an earlier run's patch. */

import { access, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { checkGitFolder, controlDir, START_REF, type WorkspaceGit, workspaceGit } from './control.ts';
import type { Git } from './git.ts';
import { readHead, writeHead } from './head.ts';
import type { Mirror, Oid } from './mirror.ts';
import { checkSupported } from './supported.ts';

/** Which commit to check out. */
export interface CheckOutRequest {
  readonly dir: string;
  /** In the mirror. */
  readonly commit: Oid;
  /** What the work counts from now: a later snapshot must descend from it, and a saved patch is made against it. */
  readonly startOid: Oid;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Makes the workspace's tracked files, its index and what HEAD is on be the commit. What was changed and not committed
 * is lost; untracked and ignored files stay unless the commit has a file in their place. Throws `UNSUPPORTED` for
 * submodules and Git LFS, `WORKSPACE` if `.git` is not sound.
 */
export async function checkOut(mirror: Mirror, request: CheckOutRequest): Promise<void> {
  const { dir, commit, startOid, signal } = request;
  await checkSupported(mirror, commit);
  await checkGitFolder(dir);
  const head = await readHead(dir);
  const run = workspaceGit(mirror.git, dir);
  const onDisk = (await entries(run)).filter(({ skipped }) => !skipped).map(({ path }) => path);
  await run(['read-tree', '--reset', '-u', commit], { signal });
  await putOnDisk(run, onDisk);
  await writeHead(dir, head, commit);
  // What is saved from a damaged workspace is compared by this index.
  const control = controlDir(dir);
  await workspaceGit(mirror.git, dir, join(control, 'index'))(['read-tree', '--reset', startOid], { signal });
  await mirror.git(['update-ref', '--', START_REF, startOid], { gitDir: control });
}

/**
 * Applies a patch that `writePatch` or `savePatch` made to the index and the files of a clean workspace, also where its
 * surroundings have changed if the parts can be merged. All of it or nothing: false if it does not apply, and then the
 * workspace is as it was. No driver or filter can run, since git reads only the control folder's configuration.
 */
export async function applyPatch(
  git: Git,
  { dir, file, signal }: { dir: string; file: string; signal?: AbortSignal | undefined },
): Promise<boolean> {
  await access(file);
  await checkGitFolder(dir);
  const head = (await readHead(dir)).oid ?? START_REF;
  const tree = await patchedTree(git, { dir, file, head, signal });
  if (tree === undefined) return false;
  const run = workspaceGit(git, dir);
  // Checks everything before it changes anything.
  const { exitCode } = await run(['read-tree', '-m', '-u', head, tree], { allow: [1, 128], signal });
  if (exitCode !== 0) return false;
  const { stdout } = await run(['diff-tree', '-r', '-z', '--name-only', '--no-renames', head, tree]);
  await putOnDisk(run, stdout.split('\0'));
  return true;
}

/** What the index has, and whether a claimed checkout leaves it off the disk. */
async function entries(run: WorkspaceGit): Promise<{ path: string; skipped: boolean }[]> {
  const lines = (await run(['ls-files', '-t', '-z'])).stdout.split('\0').filter((line) => line !== '');
  return lines.map((line) => ({ path: line.slice(2), skipped: line.startsWith('S ') }));
}

/** Writes those of the paths that git has left out: the work has files outside a claimed checkout, too. */
async function putOnDisk(run: WorkspaceGit, paths: readonly string[]): Promise<void> {
  const wanted = new Set(paths);
  const missing = (await entries(run)).filter(({ path, skipped }) => skipped && wanted.has(path));
  if (missing.length === 0) return;
  const input = missing.map(({ path }) => `${path}\0`).join('');
  await run(['checkout-index', '--force', '--ignore-skip-worktree-bits', '-z', '--stdin'], { input });
}

/** The tree that the patch makes of `head`, worked out in an index of its own; undefined if it does not apply. */
async function patchedTree(
  git: Git,
  { dir, file, head, signal }: { dir: string; file: string; head: Oid; signal: AbortSignal | undefined },
): Promise<Oid | undefined> {
  const index = join(controlDir(dir), 'index.patch');
  const run = workspaceGit(git, dir, index);
  try {
    await run(['read-tree', head], { signal });
    const args = ['apply', '--cached', '--3way', '--whitespace=nowarn', '--', file];
    if ((await run(args, { allow: [1, 128], signal })).exitCode !== 0) return undefined;
    return (await run(['write-tree'], { signal })).stdout.trim();
  } finally {
    await rm(index, { force: true });
  }
}
