/** The runner's commit: everything that the steps left in the workspace, on top of what they committed themselves. */

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { SignalboxError } from '../errors.ts';
import {
  checkGitFolder,
  controlDir,
  damaged,
  excludes,
  START_REF,
  type WorkspaceGit,
  workspaceGit,
} from './control.ts';
import type { Git } from './git.ts';
import { type Head, readHead, writeHead } from './head.ts';
import type { Oid } from './mirror.ts';
import { readRef } from './refs.ts';
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
  const startOid = await readRef(controlDir(dir), START_REF);
  if (startOid === undefined) throw damaged(controlDir(dir), 'does not name the start commit');
  const head = await readHead(dir);
  await checkDescends(run, head, startOid);
  const staged = await stageAll(run, { dir, signal });
  if (head.oid === startOid && staged === 'nothing') return { commit: null, filesChanged: [] };
  const work = [changedFiles(run), run(['write-tree'], { signal })] as const;
  // Both to their end, also when one fails: whoever saves the work then needs the index for itself.
  await Promise.allSettled(work);
  const [filesChanged, written] = await Promise.all(work);
  if (head.oid === startOid && filesChanged.length === 0) return { commit: null, filesChanged };
  const tree = written.stdout.trim();
  // With a change against the start, the index cannot be what HEAD has as long as that is the start.
  const before = head.oid === startOid ? undefined : await treeOf(run, head.oid as Oid);
  const commit = tree === before ? (head.oid as Oid) : await commitTree(run, { tree, head, request });
  return { commit, filesChanged };
}

async function treeOf(run: WorkspaceGit, commit: Oid): Promise<Oid> {
  return (await run(['rev-parse', '--verify', `${commit}^{tree}`])).stdout.trim();
}

async function checkDescends(run: WorkspaceGit, head: Head, startOid: Oid): Promise<void> {
  if (head.oid === undefined) throw damaged('HEAD', `is on ${head.ref}, which has no commit`);
  if (head.oid === startOid) return;
  const { exitCode } = await run(['merge-base', '--is-ancestor', startOid, head.oid], { allow: [1, 128] });
  if (exitCode === 0) return;
  const known = await run(['rev-parse', '--verify', '--quiet', `${head.oid}^{commit}`], { allow: [1, 128] });
  const why = known.exitCode === 0 ? `does not descend from the start ${startOid}` : 'is no commit here';
  throw damaged('HEAD', `is at ${head.oid}, which ${why}`);
}

/**
 * Stages every change. Refuses before it what would make git look into a repository inside the repository. `nothing`: no
 * step has staged anything, and there was nothing to stage.
 */
async function stageAll(
  run: WorkspaceGit,
  { dir, signal }: { dir: string; signal?: AbortSignal | undefined },
): Promise<'nothing' | 'something'> {
  const config = await excludes(dir);
  // What no step has touched is as it was made: of the start's files, none of which is a repository.
  const untouched = await isUntouched(dir);
  if (!untouched) await checkIndex(run, signal);
  // It names each path whose entry becomes another, in this one process. The index itself does not tell: a checkout of less
  // than a second leaves entries that git cannot trust, and it writes them anew.
  const said = await run(['add', '--all', '--sparse', '--verbose'], { signal, config }).catch(notStaged);
  return untouched && said.stdout === '' ? 'nothing' : 'something';
}

/**
 * The paths whose staged state differs from the start, whole names as they are in the trees. Refuses what was staged of
 * a repository inside the repository.
 */
async function changedFiles(run: WorkspaceGit): Promise<string[]> {
  const diff = ['diff-index', '--cached', '--raw', '-z', '--ignore-submodules=none', '--no-renames', START_REF];
  const fields = (await run(diff)).stdout.split('\0');
  const changes = Array.from({ length: Math.floor(fields.length / 2) }, (_, i) => ({
    modes: fields[2 * i] as string,
    path: fields[2 * i + 1] as string,
  }));
  const added = changes.find(({ modes }) => /^:[0-7]+ 160000 /.test(modes));
  if (added !== undefined) throw submodules(added.path);
  return changes.map(({ path }) => path);
}

/** Whether the index is, byte for byte, what it was before the first step. */
async function isUntouched(dir: string): Promise<boolean> {
  const files = [join(dir, '.git/index'), join(controlDir(dir), 'index')];
  const [now, before] = await Promise.all(files.map(async (file) => await readFile(file).catch(() => undefined)));
  return now !== undefined && before !== undefined && now.equals(before);
}

async function checkIndex(run: WorkspaceGit, signal: AbortSignal | undefined): Promise<void> {
  const index = (await run(['ls-files', '--stage', '-z'], { signal })).stdout.split('\0');
  refuseRepositories(index);
  const unmerged = index.find((entry) => /^\d+ [0-9a-f]+ [123]\t/.test(entry));
  if (unmerged !== undefined)
    throw damaged('the index', `has an unfinished merge in ${JSON.stringify(pathOf(unmerged))}`);
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
  const text = `${request.message.trim()}\n`;
  const message = await withTrailers(run, text, request.trailers ?? {});
  const args = ['commit-tree', tree, '-p', head.oid as Oid, '-F', '-'];
  const commit = (await run(args, { input: message, signal: request.signal })).stdout.trim();
  await writeHead(request.dir, head, commit);
  return commit;
}

/** A message of one paragraph ends in no trailers yet; git is asked only where it might. */
async function withTrailers(
  run: WorkspaceGit,
  text: string,
  trailers: Readonly<Record<string, string>>,
): Promise<string> {
  const lines = Object.entries(trailers).map(([name, value]) => `${name}: ${value}`);
  if (lines.length === 0) return text;
  if (!/\n\s*\n/.test(text.trimEnd())) return `${text}\n${lines.join('\n')}\n`;
  const args = ['interpret-trailers', ...lines.flatMap((line) => ['--trailer', line])];
  return (await run(args, { input: text })).stdout;
}
