/**
 * A runner's own checkout: a repository of its own that borrows the mirror's objects. Its configuration, hooks, refs
 * and index are private, it has no remote, and nothing that happens in it reaches the mirror.
 */

import { constants } from 'node:fs';
import { copyFile, mkdir, readdir, readFile, realpath, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { SignalboxError } from '../errors.ts';
import { checkBranch } from '../task/branches.ts';
import { checkGitFolder, controlDir, damaged, START_REF, workspaceGit } from './control.ts';
import type { ConfigEntry } from './git-env.ts';
import { readHead } from './head.ts';
import type { Mirror, Oid } from './mirror.ts';
import { readRefs } from './refs.ts';
import { conePatterns } from './sparse.ts';
import { checkSupported } from './supported.ts';
import { removeTree } from './workspaces.ts';

/** What to check out, where and as what. */
export interface WorkspaceRequest {
  readonly mirror: Mirror;
  /** Absolute path; must not exist or be empty. `<dir>.git` beside it is taken too. */
  readonly dir: string;
  readonly startOid: Oid;
  /** The short name of the branch that is checked out. */
  readonly branch: string;
  readonly checkout: 'full' | 'claimed';
  /** For `claimed`: folders and files, relative to the repository. An empty path is all of it. */
  readonly cone?: readonly string[];
  /** Who commits. Default `Signalbox <signalbox@localhost>`. */
  readonly author?: { readonly name: string; readonly email: string } | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** A workspace that is there. */
export interface Workspace {
  readonly dir: string;
  readonly branch: string;
  readonly startOid: Oid;
}

const EOL =
  'If a fresh clone shows changes too, commit the repository with normal line endings (`git add --renormalize .`).';
const SIGNALBOX = { name: 'Signalbox', email: 'signalbox@localhost' };

/**
 * Makes the workspace. Throws `UNSUPPORTED` for submodules and Git LFS, `WORKSPACE` if the folder is in use; after an
 * error the caller removes the folder (`removeWorkspace`).
 */
export async function createWorkspace(request: WorkspaceRequest): Promise<Workspace> {
  const workspace = await checkOutFiles(request);
  await nameRefs(request.mirror, workspace);
  return workspace;
}

/**
 * The costly part of it, which needs the start commit alone: lays everything out and writes the files. Of a `spare`, which no
 * step has worked in, it takes the files and the index and nothing else, and writes what differs.
 */
export async function checkOutFiles(request: WorkspaceRequest, spare?: Workspace): Promise<Workspace> {
  const { mirror, startOid, branch } = request;
  checkBranch(branch);
  await checkSupported(mirror, startOid);
  await mkdir(request.dir, { recursive: true });
  const dir = await realpath(request.dir);
  if ((await readdir(dir)).length > 0) throw damaged(dir, 'is not empty', 'Remove it, or choose another folder.');
  const index = spare === undefined ? undefined : await moveFiles(spare.dir, dir);
  await initialise(request, dir);
  if (index !== undefined) await rename(index, join(dir, '.git/index'));
  const git = workspaceGit(mirror.git, dir);
  const how = index === undefined ? '-m' : '--reset';
  await git(['read-tree', how, '-u', startOid], { signal: request.signal, config: ALL_CORES });
  // Kept as it was before any step, for what is to be saved if a step destroys its own.
  await copyFile(join(dir, '.git/index'), join(controlDir(dir), 'index'), constants.COPYFILE_FICLONE);
  return { dir, branch, startOid };
}

/**
 * Makes the files of one workspace those of another, and answers where its index is now. Their folder is moved and not they,
 * since git knows them by their times.
 */
async function moveFiles(from: string, to: string): Promise<string> {
  const index = `${from}.index`;
  await rename(join(from, '.git/index'), index);
  await removeTree(join(from, '.git'));
  await rename(from, to);
  return index;
}

/** The rest: what the remote has, as of the mirror's last fetch. Before any step, of course. */
export async function nameRefs(mirror: Mirror, workspace: Workspace): Promise<void> {
  const { own, control } = ownRefs(workspace);
  const refs = await remoteRefs(mirror);
  await Promise.all([
    writeFile(join(workspace.dir, '.git/packed-refs'), `${own}${refs}`),
    writeFile(join(controlDir(workspace.dir), 'packed-refs'), `${control}${refs}`),
  ]);
}

/** The branch, and in the control folder the start, too. */
function ownRefs({ branch, startOid }: Pick<Workspace, 'branch' | 'startOid'>): { own: string; control: string } {
  const own = `${startOid} refs/heads/${branch}\n`;
  return { own, control: `${own}${startOid} ${START_REF}\n` };
}

/**
 * Proves the workspace before a step runs in it: its own root, the branch by name, the start commit, no change.
 * Throws `WORKSPACE` naming what is wrong.
 */
export async function proveWorkspace(mirror: Mirror, workspace: Workspace): Promise<void> {
  await provePlace(workspace);
  await proveClean(mirror, workspace);
}

/** That it is where it was made, its own repository, on its branch and at the start. */
export async function provePlace({ dir, branch, startOid }: Workspace): Promise<void> {
  const root = await realpath(dir).catch(() => undefined);
  if (root !== dir) throw damaged(dir, root === undefined ? 'is missing' : `leads to ${root}`);
  await checkGitFolder(dir);
  const head = await readHead(dir);
  if (head.ref !== `refs/heads/${branch}`) throw damaged('HEAD', `is not on the branch ${branch}`);
  if (head.oid !== startOid) throw damaged('HEAD', `is at ${head.oid ?? 'no commit'} instead of ${startOid}`);
}

/** That nothing in it differs from its branch, and nothing is there beside that, not even what git ignores. */
export async function proveClean(mirror: Mirror, { dir }: Workspace): Promise<void> {
  const args = ['status', '--porcelain', '-z', '--ignore-submodules=dirty', '--no-renames'];
  const { stdout } = await workspaceGit(mirror.git, dir)([...args, '--untracked-files=all', '--ignored=matching']);
  if (stdout !== '') throw damaged('the checkout', `has changes before the first step: ${stdout.split('\0')[0]}`, EOL);
}

/** Writing files is what a checkout costs: with many (git's own measure is 100), git spreads them over the cores. */
const ALL_CORES: readonly ConfigEntry[] = [['checkout.workers', '0']];

/** Lays out `.git` as `git init` does, and the same in the control folder, where no step will write. */
async function initialise(request: WorkspaceRequest, dir: string): Promise<void> {
  const { mirror, branch } = request;
  const [cone, config] = await Promise.all([coneOf(request), mirror.newConfig()]);
  const files = {
    HEAD: `ref: refs/heads/${branch}\n`,
    config: `${config}${configText(request, cone !== undefined)}`,
    'objects/info/alternates': `${join(mirror.dir, 'objects')}\n`,
    ...(cone === undefined ? {} : { 'info/sparse-checkout': cone }),
    // A mirror of a shallow repository ends where that one ends.
    ...(await shallowOf(mirror)),
  };
  const refs = ownRefs(request);
  const ownObjects = `${join(dir, '.git/objects')}\n`;
  await Promise.all([
    layOut(join(dir, '.git'), { ...files, 'packed-refs': refs.own }),
    layOut(controlDir(dir), {
      ...files,
      'packed-refs': refs.control,
      'objects/info/alternates': `${files['objects/info/alternates']}${ownObjects}`,
    }),
  ]);
}

async function layOut(gitDir: string, files: Readonly<Record<string, string>>): Promise<void> {
  const folders = ['objects/info', 'objects/pack', 'refs/heads', 'refs/tags', 'info'];
  await Promise.all(folders.map(async (folder) => await mkdir(join(gitDir, folder), { recursive: true })));
  // Never over what is there: the control folder is git's word for what the workspace was.
  await Promise.all(
    Object.entries(files).map(async ([name, text]) => await writeFile(join(gitDir, name), text, { flag: 'wx' })),
  );
}

async function shallowOf({ dir }: Mirror): Promise<{ shallow?: string }> {
  const shallow = await readFile(join(dir, 'shallow'), 'utf8').catch(() => undefined);
  return shallow === undefined ? {} : { shallow };
}

function configText({ author = SIGNALBOX }: WorkspaceRequest, sparse: boolean): string {
  const lines = ['[user]', `\tname = ${quote(author.name)}`, `\temail = ${quote(author.email)}`, '[gc]', '\tauto = 0'];
  const cone = sparse ? ['[core]', '\tsparseCheckout = true', '\tsparseCheckoutCone = true'] : [];
  return `${[...lines, ...cone].join('\n')}\n`;
}

function quote(value: string): string {
  return `"${value.replace(/[\n\0]/g, ' ').replace(/[\\"]/g, '\\$&')}"`;
}

/** The remote's branches under `origin/` and its tags, so that steps can compare and describe; no remote is set. */
async function remoteRefs(mirror: Mirror): Promise<string> {
  const refs = await readRefs(mirror.dir, ['refs/heads', 'refs/tags']);
  return [...refs].map(([name, oid]) => `${oid} ${name.replace(/^refs\/heads\//, 'refs/remotes/origin/')}\n`).join('');
}

/** The sparse patterns, or undefined for a whole checkout. A path that is a file brings the files beside it. */
async function coneOf({ mirror, checkout, cone = [], startOid }: WorkspaceRequest): Promise<string | undefined> {
  if (checkout === 'full') return undefined;
  const paths = cone.map((path) =>
    path
      .split('/')
      .filter((part) => part !== '' && part !== '.')
      .join('/'),
  );
  if (paths.includes('')) return undefined;
  const bad = paths.find((path) => /[\n\0]/.test(path) || path.split('/').includes('..'));
  if (bad !== undefined) throw badCone(bad);
  if (paths.length === 0) return conePatterns({ folders: [], parents: [] });
  const { stdout } = await mirror.git(['ls-tree', '-z', '--full-tree', startOid, '--', ...paths], {
    gitDir: mirror.dir,
  });
  const files = new Set(
    stdout
      .split('\0')
      .filter((entry) => / (blob|commit) /.test(entry))
      .map((entry) => entry.slice(entry.indexOf('\t') + 1)),
  );
  const parents = paths
    .filter((path) => files.has(path) && path.includes('/'))
    .map((path) => path.slice(0, path.lastIndexOf('/')));
  return conePatterns({ folders: paths.filter((path) => !files.has(path)), parents });
}

function badCone(path: string): SignalboxError {
  return new SignalboxError(
    'INVALID',
    `${JSON.stringify(path)} cannot be checked out: it is no path inside the repository`,
    {
      field: 'include',
      next: 'Name folders and files by their path from the top of the repository.',
    },
  );
}
