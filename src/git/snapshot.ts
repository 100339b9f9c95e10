/** The runner's commit: everything that the steps left in the workspace, on top of what they committed themselves. */

import { SignalboxError } from '../errors.ts';
import { checkGitFolder, damaged, excludes, START_REF, type WorkspaceGit, workspaceGit } from './control.ts';
import type { Git } from './git.ts';
import { type Head, readHead, writeHead } from './head.ts';
import type { Oid } from './mirror.ts';
import { submodules } from './supported.ts';

/** What to commit, and how it is described. */
export interface SnapshotRequest {
  readonly dir: string;
  readonly message: string;
  /** Put at the end of the message, for example `{'Signalbox-Task': id, 'Signalbox-Run': '3'}`. */
  readonly trailers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal | undefined;
}

/** What the task changed. */
export interface Snapshot {
  /** HEAD after the snapshot; null if it is still the start commit. */
  readonly commit: Oid | null;
  /** Paths that differ between the start commit and `commit`; a rename names both. */
  readonly filesChanged: string[];
}

/**
 * Commits what changed, also outside a sparse cone. Commits that steps made are kept, on whatever branch HEAD is now,
 * as long as they descend from the start. Throws `WORKSPACE` when `.git` is gone, history was rewritten or a merge is
 * unfinished, `UNSUPPORTED` when a repository was put inside the repository.
 */
export async function snapshot(git: Git, request: SnapshotRequest): Promise<Snapshot> {
  const { dir, signal } = request;
  await checkGitFolder(dir);
  const run = workspaceGit(git, dir);
  const startOid = (await run(['rev-parse', '--verify', START_REF])).stdout.trim();
  const head = await readHead(dir);
  await checkDescends(run, head, startOid);
  await stageAll(run, { dir, signal });
  const tree = (await run(['write-tree'], { signal })).stdout.trim();
  const before = (await run(['rev-parse', '--verify', `${head.oid}^{tree}`])).stdout.trim();
  const commit = tree === before ? (head.oid as Oid) : await commitTree(run, { tree, head, request });
  const filesChanged = await changedFiles(run, startOid, commit);
  return { commit: commit === startOid ? null : commit, filesChanged };
}

/** Paths that differ between two commits, whole names as they are in the trees. */
async function changedFiles(run: WorkspaceGit, from: Oid, to: Oid): Promise<string[]> {
  const args = ['diff-tree', '-r', '-z', '--name-only', '--no-renames', '--ignore-submodules=none', from, to];
  return (await run(args)).stdout.split('\0').filter((path) => path !== '');
}

async function checkDescends(run: WorkspaceGit, head: Head, startOid: Oid): Promise<void> {
  if (head.oid === undefined) throw damaged('HEAD', `is on ${head.ref}, which has no commit`);
  const known = await run(['rev-parse', '--verify', '--quiet', `${head.oid}^{commit}`], { allow: [1, 128] });
  if (known.exitCode !== 0) throw damaged('HEAD', `is at ${head.oid}, which is no commit here`);
  const { exitCode } = await run(['merge-base', '--is-ancestor', startOid, head.oid], { allow: [1, 128] });
  if (exitCode !== 0) throw damaged('HEAD', `is at ${head.oid}, which does not descend from the start ${startOid}`);
}

/** Stages every change. Refuses before and after what would make git look into a repository inside the repository. */
async function stageAll(run: WorkspaceGit, { dir, signal }: { dir: string; signal?: AbortSignal | undefined }) {
  const config = await excludes(dir);
  const index = (await run(['ls-files', '--stage', '-z'], { signal })).stdout.split('\0');
  refuseRepositories(index);
  const unmerged = index.find((entry) => /^\d+ [0-9a-f]+ [123]\t/.test(entry));
  if (unmerged !== undefined)
    throw damaged('the index', `has an unfinished merge in ${JSON.stringify(pathOf(unmerged))}`);
  await run(['add', '--all', '--sparse'], { signal, config }).catch(notStaged);
  const staged = await run([
    'diff-index',
    '--cached',
    '--raw',
    '-z',
    '--ignore-submodules=none',
    '--no-renames',
    START_REF,
  ]);
  const added = /:[0-7]+ 160000 [^\0]*\0([^\0]*)/.exec(staged.stdout)?.[1];
  if (added !== undefined) throw submodules(added);
}

/** `git add` runs git inside a repository that the index names, with the configuration found there. */
function refuseRepositories(index: readonly string[]): void {
  const found = index.find((entry) => entry.startsWith('160000 '));
  if (found !== undefined) throw submodules(pathOf(found));
}

function pathOf(entry: string): string {
  return entry.slice(entry.indexOf('\t') + 1);
}

function notStaged(error: unknown): never {
  if (!(error instanceof SignalboxError)) throw error;
  throw new SignalboxError('WORKSPACE', `the changes could not be staged: ${error.message}`, {
    next: 'Look at the files that the steps left: each must be readable by the worker.',
    cause: error,
    details: error.details,
  });
}

async function commitTree(
  run: WorkspaceGit,
  { tree, head, request }: { tree: Oid; head: Head; request: SnapshotRequest },
) {
  const trailers = Object.entries(request.trailers ?? {}).flatMap(([name, value]) => [
    '--trailer',
    `${name}: ${value}`,
  ]);
  const text = `${request.message.trim()}\n`;
  const message =
    trailers.length === 0 ? text : (await run(['interpret-trailers', ...trailers], { input: text })).stdout;
  const args = ['commit-tree', tree, '-p', head.oid as Oid, '-F', '-'];
  const commit = (await run(args, { input: message, signal: request.signal })).stdout.trim();
  await writeHead(request.dir, head, commit);
  return commit;
}
