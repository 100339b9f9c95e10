/** Real remotes and checkouts in a folder of their own, and short ways to do what people and steps do with them. */

import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, onTestFinished, vi } from 'vitest';
import type { Fence } from '../../../src/git/fence.ts';
import { createGit, type Git } from '../../../src/git/git.ts';
import { resolveRepository } from '../../../src/git/identity.ts';
import { createMirrors, type Mirror } from '../../../src/git/mirror.ts';
import { snapshot } from '../../../src/git/snapshot.ts';
import { resolveStart, type StartPoint } from '../../../src/git/start-point.ts';
import { createWorkspace, type Workspace } from '../../../src/git/workspace.ts';
import { removeFolder } from '../../support/remove-folder.ts';

const PERSON = {
  ...process.env,
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_AUTHOR_NAME: 'Ada',
  GIT_AUTHOR_EMAIL: 'ada@example.com',
  GIT_COMMITTER_NAME: 'Ada',
  GIT_COMMITTER_EMAIL: 'ada@example.com',
};

/** A folder that is removed after the test. */
export function tempDir(): string {
  const dir = realpathSync(mkdtempSync(join(tmpdir(), 'signalbox-git-')));
  onTestFinished(() => removeFolder(dir));
  return dir;
}

/** git as a person or a step uses it; gives its output without the last line break. */
export function by(dir: string, ...args: string[]): string {
  return execFileSync('git', args, { cwd: dir, env: PERSON, encoding: 'utf8', stdio: 'pipe' }).replace(/\n$/, '');
}

/** Writes files by path below `dir`, making folders as needed. */
export function write(dir: string, files: Record<string, string | Buffer>): void {
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(dir, path)), { recursive: true });
    writeFileSync(join(dir, path), content);
  }
}

/** A person's commit of everything in `dir`; gives its name. */
export function commitAll(dir: string, message = 'change'): string {
  by(dir, 'add', '--all');
  by(dir, 'commit', '--quiet', '--message', message);
  return by(dir, 'rev-parse', 'HEAD');
}

/** A remote with one commit on `main`, a person's clone of it, and Signalbox's side. */
export interface Fixture {
  readonly root: string;
  readonly remote: string;
  readonly person: string;
  readonly dataDir: string;
  readonly git: Git;
  readonly mirror: Mirror;
  /** The repository's identity. */
  readonly key: string;
  readonly first: string;
}

/** The files of the first commit. */
export const FILES = {
  'README.md': 'read me\n',
  'src/auth/login.ts': 'login\n',
  'src/auth/deep/token.ts': 'token\n',
  'src/db/schema.ts': 'schema\n',
  'src/db/sub/other.ts': 'other\n',
  'docs/guide.md': 'guide\n',
};

/** Makes a {@link Fixture}; `files` are what the first commit holds. */
export async function fixture(files: Record<string, string | Buffer> = FILES): Promise<Fixture> {
  const root = tempDir();
  const remote = join(root, 'remote.git');
  const person = join(root, 'person');
  by(root, 'init', '--quiet', '--bare', '--initial-branch=main', remote);
  by(root, 'clone', '--quiet', remote, person);
  write(person, files);
  const first = commitAll(person, 'first');
  by(person, 'push', '--quiet', 'origin', 'main');
  const git = createGit({ env: process.env });
  const dataDir = join(root, 'data');
  const repository = await resolveRepository(git, remote, root);
  const mirror = await createMirrors({ git, dataDir }).open(repository);
  return { root, remote, person, dataDir, git, mirror, key: repository.key, first };
}

/** A run whose pushes are leased and not fenced, as on a remote that keeps no ledgers. */
export const BY_LEASE: Fence = { kind: 'branch', why: 'the test says so' };

/** A hook in the remote. */
export function hook(remote: string, name: string, script: string): void {
  const file = join(remote, 'hooks', name);
  writeFileSync(file, `#!/bin/sh\n${script}\n`);
  chmodSync(file, 0o755);
}

/** What a run has when its steps begin. */
export interface Run {
  readonly start: StartPoint;
  readonly workspace: Workspace;
}

/** Starts a run on `branch`: start point and a whole workspace, or one with `cone`. */
export async function startRun({ root, mirror }: Fixture, branch: string, cone?: string[]): Promise<Run> {
  const start = await resolveStart(mirror, { branch });
  const dir = join(mkdtempSync(join(root, 'run-')), 'workspace');
  const checkout = cone === undefined ? 'full' : 'claimed';
  const workspace = await createWorkspace({
    mirror,
    dir,
    branch,
    startOid: start.startOid,
    checkout,
    cone: cone ?? [],
  });
  return { start, workspace };
}

/** A run with the commit of its work. */
export type Work = Run & { readonly commit: string };

/** The runner's commit of what a run's steps have left, with the branch's name as the task's. */
export async function committed(room: Fixture, run: Run): Promise<Work> {
  const trailers = { 'Signalbox-Task': run.workspace.branch, 'Signalbox-Run': '1' };
  const { commit } = await snapshot(room.git, { dir: run.workspace.dir, message: 'work', trailers });
  if (commit === null) throw new Error('nothing changed');
  return { ...run, commit };
}

/** A run that has changed files and made its commit. */
export async function changed(
  room: Fixture,
  files: Record<string, string>,
  { branch = 'task/one', cone }: { branch?: string; cone?: string[] } = {},
): Promise<Work> {
  const run = await startRun(room, branch, cone);
  write(run.workspace.dir, files);
  return committed(room, run);
}

/** A person's push to main, on top of what is there; gives its commit. */
export function advance({ person }: Fixture, files: Record<string, string>): string {
  by(person, 'pull', '--quiet', '--rebase', 'origin', 'main');
  write(person, files);
  const commit = commitAll(person, 'by a person');
  by(person, 'push', '--quiet', 'origin', 'main');
  return commit;
}

/** The tip of a branch in a bare repository, or undefined. */
export function tipOf(remote: string, branch: string): string | undefined {
  const line = by(remote, 'for-each-ref', '--format=%(objectname)', `refs/heads/${branch}`);
  return line === '' ? undefined : line;
}

/** Lets a push go on that a hook holds while `file` exists, and waits until the remote has taken its objects or dropped them. */
export async function letGo(remote: string, file: string): Promise<void> {
  rmSync(file);
  const incoming = () => readdirSync(join(remote, 'objects')).filter((name) => name.startsWith('tmp_objdir-'));
  await vi.waitFor(() => expect(incoming()).toEqual([]), { timeout: 20_000 });
}
