/** What a task's `repo` stands for, as far as only the file system and git can tell. */

import { realpath, stat } from 'node:fs/promises';
import { hostname } from 'node:os';
import { basename, dirname, resolve } from 'node:path';
import { SignalboxError } from '../errors.ts';
import { shown } from '../invalid.ts';
import { parseRepository } from '../task/repository.ts';
import type { Git } from './git.ts';

/** A repository that can be locked and fetched. */
export interface ResolvedRepository {
  /** The name that locks use: the same for every spelling. */
  readonly key: string;
  /** What git fetches from and pushes to: an address or an absolute path. */
  readonly url: string;
  /** Only this host has it: a local path without a remote behind it. `host` says which. */
  readonly hostBound: boolean;
  readonly host: string | undefined;
}

const MAX_ORIGINS = 5;

/**
 * Finds out what `repo` is. A checkout stands for its `origin`, however many local clones lie between; without one
 * it belongs to this host. `cwd` is what a relative path starts from. Throws `INVALID` with the field `repo`.
 */
export async function resolveRepository(git: Git, repo: string, cwd: string): Promise<ResolvedRepository> {
  let named = repo;
  let from = cwd;
  for (let step = 0; step < MAX_ORIGINS; step++) {
    const parsed = parseRepository(named);
    if (parsed.kind === 'remote') return { key: parsed.key, url: parsed.url, hostBound: false, host: undefined };
    const found = await locate(git, resolve(from, parsed.path), repo);
    const { origin } = found;
    if (origin === undefined) return local(found.home);
    named = origin;
    from = found.home;
  }
  throw notARepository(repo, 'its origins lead round in a circle');
}

/** Whether the remote answers. Throws `REMOTE_UNREACHABLE`, or the signal's reason. */
export async function checkRemote(git: Git, url: string, signal?: AbortSignal): Promise<void> {
  await git(['ls-remote', '--quiet', '--', url, 'HEAD'], { remote: true, signal, timeoutMs: 60_000 });
}

function local(path: string): ResolvedRepository {
  return { key: `local:${hostname()}:${path}`, url: path, hostBound: true, host: hostname() };
}

/** The folder a user would name a repository by, and its `origin`. Both questions at once: a submission waits for them. */
async function locate(git: Git, path: string, repo: string): Promise<{ home: string; origin: string | undefined }> {
  const cwd = await realpath(path).catch(() => undefined);
  if (cwd === undefined) throw notARepository(repo, 'there is nothing at this path');
  if (!(await stat(cwd)).isDirectory()) throw notARepository(repo, 'it is a file');
  // The user's own repository, found as their git would find it, bare or not.
  const config = [['safe.bareRepository', 'all']] as const;
  const args = ['rev-parse', '--path-format=absolute', '--git-common-dir'];
  const [{ exitCode, stdout, stderr }, origin] = await Promise.all([
    git(args, { cwd, config, allow: [128] }),
    git(['config', '--get', 'remote.origin.url'], { cwd, config, allow: [1, 128] }),
  ]);
  if (exitCode !== 0) {
    throw notARepository(
      repo,
      /dubious ownership/.test(stderr) ? 'it belongs to another user' : 'it is not a git repository',
    );
  }
  const gitDir = await realpath(stdout.replace(/\n$/, ''));
  const url = origin.exitCode === 0 ? origin.stdout.replace(/\n$/, '') : '';
  return {
    home: basename(gitDir) === '.git' ? dirname(gitDir) : gitDir,
    origin: url === '' ? undefined : url,
  };
}

function notARepository(repo: string, why: string): SignalboxError {
  return new SignalboxError('INVALID', `\`repo\` ${shown(repo)}: ${why}`, {
    field: 'repo',
    next: 'Give the path of a git repository on this machine, or an address such as git@host:team/project.git.',
  });
}
