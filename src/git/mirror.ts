/**
 * One bare mirror of a remote per host: every workspace borrows its objects, and what is published is sent from it.
 *
 * Nothing is ever collected or pruned here (`gc.auto=0`), since workspaces rely on objects that no ref may name any
 * more; what has gathered is put together (`mirror-upkeep.ts`), and a mirror that nobody uses is removed as a whole
 * (`unused-mirrors.ts`). It has the remote's branches and tags under their own names and no configured remote: each
 * fetch is told its address, so nothing in it can send anywhere by accident.
 */

import { createHash, randomUUID } from 'node:crypto';
import { access, mkdir, readdir, readFile, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { SignalboxError } from '../errors.ts';
import type { Git } from './git.ts';
import type { ResolvedRepository } from './identity.ts';
import { tidy, untidyOf } from './mirror-upkeep.ts';
import { objectFormat } from './objects.ts';
import { type HeldLock, withProcessLock } from './process-lock.ts';
import { readRef } from './refs.ts';
import { shareNext } from './share-next.ts';
import { clearLeft, LOCK_VARIABLE } from './stale-locks.ts';
import { noteUse } from './unused-mirrors.ts';

/** An object's full name. */
export type Oid = string;

/** The remote's HEAD: its commit, and its branch unless it is detached. */
export interface RemoteHead {
  readonly oid: Oid;
  readonly ref: string | undefined;
}

/** A local copy of a remote. */
export interface Mirror {
  /** The bare repository. */
  readonly dir: string;
  /** What is fetched from and pushed to. */
  readonly url: string;
  readonly git: Git;
  /** Brings branches, tags and HEAD up to the remote, as it was after this call. Throws `REMOTE_UNREACHABLE`. */
  fetch(signal?: AbortSignal): Promise<void>;
  /** Brings one more object, for a commit that no branch or tag reaches; false if the remote will not give it. */
  fetchObject(name: string, signal?: AbortSignal): Promise<boolean>;
  /** The commit that a full ref name or object name stands for here, without asking the remote. */
  resolve(name: string): Promise<Oid | undefined>;
  /** The commit of the remote's HEAD as of the last fetch; undefined if it is empty or HEAD names no branch that exists. */
  fetchedHead(): Promise<Oid | undefined>;
  /** The same, asked anew, with the branch that HEAD names. */
  head(signal?: AbortSignal): Promise<RemoteHead | undefined>;
  /** What has been found out about commits here, which never change; see `supported.ts`. */
  readonly checked: Map<Oid, Promise<void>>;
  /** The configuration that git gives a new repository on this disk; see `workspace.ts`. */
  newConfig(): Promise<string>;
}

/** A repository here and the remote that it pushes to. */
export type Place = Pick<Mirror, 'git' | 'dir' | 'url'>;

/** The mirrors of one data folder. One object a process: callers who ask at once share a fetch. */
export interface Mirrors {
  /** The mirror of a repository, made on first use. Throws `REMOTE_UNREACHABLE`. */
  open(repository: Pick<ResolvedRepository, 'key' | 'url'>, signal?: AbortSignal): Promise<Mirror>;
}

/** A fetch is shared by all runs of a repository, so that a hung one must not hold them for long. */
const FETCH_MS = 1_200_000;
/** How soon a mirror is tidied again after that did not work. */
const TIDY_AGAIN_MS = 3_600_000;
const REFSPECS = ['+refs/heads/*:refs/heads/*', '+refs/tags/*:refs/tags/*'];
/** Where the remote's HEAD is kept: fetched with the rest, it costs no question of its own. */
const HEAD_REF = 'refs/signalbox/head';

/** Makes the holder of all mirrors under `<dataDir>/mirrors`. */
export function createMirrors({ git, dataDir }: { git: Git; dataDir: string }): Mirrors {
  const opened = new Map<string, Opening>();
  return {
    open: async ({ key, url }, signal) => {
      const dir = mirrorDir(dataDir, key, url);
      const opening = opened.get(dir) ?? prepareMirror(git, dir, url);
      opened.set(dir, opening);
      if (!(await exists(dir))) await opening.make(signal);
      await noteUse(dir);
      return opening.mirror;
    },
  };
}

/** A mirror that may not be there yet, and how to make it. */
interface Opening {
  readonly mirror: Mirror;
  readonly make: (signal?: AbortSignal) => Promise<void>;
}

/** The address is part of the name: keys are folded to lock too much, and two remotes may share one. */
function mirrorDir(dataDir: string, key: string, url: string): string {
  const hash = createHash('sha256').update(`${key}\n${url}`).digest('hex');
  return join(dataDir, 'mirrors', `${hash.slice(0, 40)}.git`);
}

function prepareMirror(git: Git, dir: string, url: string): Opening {
  const lockFolder = `${dir}.lock`;
  const locked = <T>(work: (lock: HeldLock) => Promise<T>) =>
    withProcessLock(lockFolder, async (lock) => {
      if (lock.deadTokens.length > 0) await clearLeft(dir, lock.deadTokens);
      try {
        return await work(lock);
      } catch (error) {
        // A git that had to be killed has left its lock files, and whoever comes next will not find a dead holder.
        await clearLeft(dir, [lock.token]);
        throw error;
      }
    });
  // After the fetch, for which somebody waits. What fails is tried again, but not at every fetch.
  let nextTidyAt = 0;
  const tidyLater = shareNext(async (signal) =>
    locked(async ({ token }) => {
      const untidy = await untidyOf(dir);
      if (untidy === undefined || Date.now() < nextTidyAt) return;
      nextTidyAt = Date.now() + TIDY_AGAIN_MS;
      await tidy(git, dir, { untidy, env: { [LOCK_VARIABLE]: token }, signal });
      nextTidyAt = 0;
    }).catch(() => {}),
  );
  let config: Promise<string> | undefined;
  const mirror: Mirror = {
    dir,
    url,
    git,
    fetch: shareNext((signal) =>
      locked(async (lock) => {
        // Not there any more if it was taken away as unused since it was opened.
        await create(git, { dir, url, lock, signal });
        await fetchAll(git, { dir, url, token: lock.token, signal });
        if ((await untidyOf(dir)) !== undefined) void tidyLater();
      }),
    ),
    fetchedHead: async () => await readRef(dir, HEAD_REF),
    head: shareNext((signal) => askHead(git, url, signal)),
    fetchObject: async (name, signal) => {
      const { exitCode } = await git(fetchArgs([], url, [name]), { ...fetching(dir), signal, allow: [1, 128] });
      return exitCode === 0;
    },
    resolve: async (name) => await (isBranch(name) ? readRef(dir, name) : resolveCommit(git, dir, name)),
    checked: new Map(),
    newConfig: async () => {
      config ??= initialConfig(git, dir).catch((error: unknown) => {
        config = undefined;
        throw error;
      });
      return await config;
    },
  };
  return { mirror, make: shareNext((signal) => locked((lock) => create(git, { dir, url, lock, signal }))) };
}

/** A branch's ref can be read as it stands, since it names a commit. Names that git would have to compute are left to it. */
function isBranch(name: string): boolean {
  return /^refs\/heads\/[^\s~^:?*[\\\u0000-\u001f]+$/.test(name) && !/\.\.|@\{|\/\/|\/\.|\/$/.test(name);
}

async function fetchAll(
  git: Git,
  { dir, url, token, signal }: { dir: string; url: string; token: string; signal: AbortSignal },
): Promise<void> {
  const options = { ...fetching(dir), env: { [LOCK_VARIABLE]: token }, signal };
  try {
    await git(fetchArgs(['--prune'], url, [...REFSPECS, `+HEAD:${HEAD_REF}`]), options);
  } catch (error) {
    if (!(error instanceof SignalboxError) || !NO_HEAD.test(String(error.details['stderr']))) throw error;
    await git(fetchArgs(['--prune'], url, REFSPECS), options);
    await git(['update-ref', '-d', HEAD_REF], { gitDir: dir });
  }
}

/** The remote is empty, or its HEAD names a branch that is not there. */
const NO_HEAD = /couldn't find remote ref HEAD/i;

/** git looks what the disk can do; its mirror lies on the same. */
async function initialConfig(git: Git, dir: string): Promise<string> {
  const draft = `${dir}.draft-${randomUUID()}`;
  const format = await objectFormat(dir);
  try {
    await git(['init', '--quiet', '--template=', `--object-format=${format}`, '--', draft]);
    return await readFile(join(draft, '.git/config'), 'utf8');
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
}

/** A commit's full name, if `name` stands for one in the repository. */
export async function resolveCommit(git: Git, gitDir: string, name: string): Promise<Oid | undefined> {
  const args = ['rev-parse', '--verify', '--quiet', '--end-of-options', `${name}^{commit}`];
  const { exitCode, stdout } = await git(args, { gitDir, allow: [1, 128] });
  return exitCode === 0 ? stdout.trim() : undefined;
}

/** Whether `newer` has `older` in its history, or is it; false if the mirror lacks one of them. */
export async function isAncestor({ git, dir }: Mirror, older: Oid, newer: Oid): Promise<boolean> {
  const args = ['merge-base', '--is-ancestor', older, newer];
  return (await git(args, { gitDir: dir, allow: [1, 128] })).exitCode === 0;
}

interface Making {
  readonly dir: string;
  readonly url: string;
  readonly lock: HeldLock;
  readonly signal: AbortSignal;
}

/** Made aside and moved into place, so that a mirror that exists is a whole one. */
async function create(git: Git, { dir, url, lock, signal }: Making): Promise<void> {
  if (await exists(dir)) return;
  const draft = `${dir}.draft-${randomUUID()}`;
  await mkdir(dirname(dir), { recursive: true });
  await removeDrafts(dir);
  try {
    const args = ['clone', '--quiet', '--bare', '--template=', '--', url, draft];
    await git(args, { remote: true, env: { [LOCK_VARIABLE]: lock.token }, signal });
    await git(['config', '--remove-section', 'remote.origin'], { gitDir: draft });
    await git(['config', 'gc.auto', '0'], { gitDir: draft });
    await rename(draft, dir);
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
}

/** Drafts that a killed process left: whoever holds the lock is the only one who could be making one. */
async function removeDrafts(dir: string): Promise<void> {
  const drafts = (await readdir(dirname(dir))).filter((name) => name.startsWith(`${basename(dir)}.draft-`));
  for (const name of drafts) await rm(join(dirname(dir), name), { recursive: true, force: true });
}

function fetchArgs(flags: string[], url: string, refspecs: readonly string[]): string[] {
  const quiet = ['--quiet', '--no-tags', '--no-write-fetch-head', '--no-auto-maintenance', '--no-recurse-submodules'];
  return ['fetch', ...quiet, ...flags, '--', url, ...refspecs];
}

function fetching(gitDir: string) {
  return { gitDir, remote: true, timeoutMs: FETCH_MS } as const;
}

async function askHead(git: Git, url: string, signal: AbortSignal): Promise<RemoteHead | undefined> {
  const { stdout } = await git(['ls-remote', '--quiet', '--symref', '--', url, 'HEAD'], {
    remote: true,
    timeoutMs: 60_000,
    signal,
  });
  const oid = /^([0-9a-f]{40,64})\tHEAD$/m.exec(stdout)?.[1];
  return oid === undefined ? undefined : { oid, ref: /^ref: (\S+)\tHEAD$/m.exec(stdout)?.[1] };
}

/** Throws when the remote has no commit at all: there is nothing to start from. */
export function emptyRemote(): SignalboxError {
  return new SignalboxError('INVALID', 'the remote repository has no commit to start from', {
    field: 'repo',
    next: 'Push a first commit to it, or name a base that exists there.',
  });
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
