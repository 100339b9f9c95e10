/**
 * What nobody owns any more in a data folder, or has needed for long. The rules, each on the safe side:
 *
 * - the folder of a run, when the runner has no record in Redis and its process is dead (`run-folder.ts`);
 * - a draft of a mirror, when it is older than a clone may take, and a spare workspace, which no living worker keeps so long;
 * - a mirror that no run has used since `before`, and that no checkout here borrows objects from;
 * - artifacts of a task that this queue has given an id and no longer keeps, or that ended before `before`. Those of
 *   another queue, or of a task that Redis has lost, stay: they may be the last copy of somebody's work.
 */

import { readdir, rm, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { sparesDir } from '../git/spare-workspaces.ts';
import { removeMirror, unusedMirrors } from '../git/unused-mirrors.ts';
import { diskBytes } from '../git/workspaces.ts';
import type { TaskRecord } from '../queue/record.ts';
import type { TaskQueue } from '../queue/task-queue.ts';
import { parseTaskId } from '../task/ids.ts';
import { isTerminal } from '../task/states.ts';
import { type AbandonedRun, abandonedRuns } from './run-folder.ts';

/** Files that may go. */
export interface OldFiles {
  readonly kind: 'draft' | 'spare' | 'mirror' | 'artifacts';
  readonly path: string;
}

/** Something that may go, and what it takes on the disk. */
export type Leftover = { readonly path: string; readonly bytes: number } & (
  | { readonly kind: 'run'; readonly run: AbandonedRun }
  | { readonly kind: OldFiles['kind'] }
);

/** Twice the time that git is given. */
const DRAFT_MS = 2 * 3_600_000;

/** Finds all that may go. What ended or was last used before `before` is old. */
export async function findLeftovers(dataDir: string, queue: TaskQueue, before: Date): Promise<Leftover[]> {
  const runs = await abandonedRuns(dataDir, queue);
  return await Promise.all([
    ...runs.map(async (run) => ({ kind: 'run' as const, run, path: run.folder, bytes: await diskBytes(run.folder) })),
    ...(await findOldFiles(dataDir, queue, before)).map(async ({ kind, path }) => ({
      kind,
      path,
      bytes: await diskBytes(path),
    })),
  ]);
}

/** The same without the folders of runs. */
export async function findOldFiles(dataDir: string, queue: TaskQueue, before: Date): Promise<OldFiles[]> {
  const of = (kind: OldFiles['kind'], paths: readonly string[]) => paths.map((path) => ({ kind, path }));
  return [
    ...of('draft', await dead((await foldersIn(join(dataDir, 'mirrors'))).filter(isDraft))),
    ...of('spare', await dead(await foldersIn(sparesDir(dataDir)))),
    ...of('mirror', await unusedMirrors(dataDir, before)),
    ...of('artifacts', await deadArtifacts(dataDir, queue, before)),
  ];
}

/** Removes one of them; a mirror only if it still is unused. Throws what the file system says. */
export async function removeOldFiles({ kind, path }: OldFiles, before: Date): Promise<void> {
  if (kind === 'mirror') await removeMirror(path, before);
  else await rm(path, { recursive: true, force: true });
}

function isDraft(dir: string): boolean {
  return basename(dir).includes('.draft-');
}

/** Those that are older than anybody can still be at work on them. */
async function dead(drafts: readonly string[]): Promise<string[]> {
  const ages = await Promise.all(drafts.map(ageMs));
  return drafts.filter((_dir, i) => (ages[i] ?? 0) > DRAFT_MS);
}

async function deadArtifacts(dataDir: string, { redis, keys, store }: TaskQueue, before: Date): Promise<string[]> {
  const { incarnation, sequence = '0' } = await redis.hgetall(keys.all('meta'));
  if (incarnation === undefined) return [];
  const ours = (await foldersIn(join(dataDir, 'artifacts'))).filter((dir) => {
    const facts = parseTaskId(basename(dir));
    return facts?.incarnation === incarnation && facts !== undefined && facts.sequence <= Number(sequence);
  });
  const kept = await store.getMany(ours.map((dir) => basename(dir)));
  const needed = new Set(kept.filter((record) => !endedBefore(record, before)).map(({ id }) => id));
  return ours.filter((dir) => !needed.has(basename(dir)));
}

function endedBefore({ state, finishedAt }: TaskRecord, before: Date): boolean {
  return isTerminal(state) && finishedAt !== null && finishedAt < before.getTime();
}

async function foldersIn(root: string): Promise<string[]> {
  const entries = await readdir(root, { withFileTypes: true }).catch(() => []);
  return entries.filter((entry) => entry.isDirectory()).map((entry) => join(root, entry.name));
}

/** How long ago a folder was made, or where that is not known, changed; 0 when it is gone. */
async function ageMs(dir: string): Promise<number> {
  const found = await stat(dir).catch(() => undefined);
  if (found === undefined) return 0;
  return Date.now() - (found.birthtimeMs > 0 ? found.birthtimeMs : found.mtimeMs);
}
