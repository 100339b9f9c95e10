/**
 * What nobody owns any more in a data folder. The rules, each on the safe side:
 *
 * - the folder of a run, when the runner has no record in Redis and its process is dead (`src/runner/run-folder.ts`);
 * - a draft of a mirror, when it is older than a clone may take;
 * - artifacts of a task that this queue has given an id and no longer keeps. Those of another queue, or of a task that
 *   Redis has lost, stay: they may be the last copy of somebody's work.
 */

import { readdir, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { diskBytes } from '../../git/workspaces.ts';
import type { TaskQueue } from '../../queue/task-queue.ts';
import { type AbandonedRun, abandonedRuns } from '../../runner/run-folder.ts';
import { parseTaskId } from '../../task/ids.ts';

/** Something that may go. */
export type Leftover = { readonly path: string; readonly bytes: number } & (
  | { readonly kind: 'run'; readonly run: AbandonedRun }
  | { readonly kind: 'draft' | 'artifacts' }
);

/** Twice the time that git is given. */
const DRAFT_MS = 2 * 3_600_000;

/** Finds all that may go. */
export async function findLeftovers(dataDir: string, queue: TaskQueue): Promise<Leftover[]> {
  const runs = await abandonedRuns(dataDir, queue);
  return await Promise.all([
    ...runs.map(async (run) => ({ kind: 'run' as const, run, path: run.folder, bytes: await diskBytes(run.folder) })),
    ...(await deadDrafts(join(dataDir, 'mirrors'))).map(async (path) => await leftover('draft', path)),
    ...(await deadArtifacts(dataDir, queue)).map(async (path) => await leftover('artifacts', path)),
  ]);
}

async function deadDrafts(mirrors: string): Promise<string[]> {
  const drafts = (await foldersIn(mirrors)).filter((dir) => basename(dir).includes('.draft-'));
  const ages = await Promise.all(drafts.map(ageMs));
  return drafts.filter((_dir, i) => (ages[i] ?? 0) > DRAFT_MS);
}

async function deadArtifacts(dataDir: string, { redis, keys, store }: TaskQueue): Promise<string[]> {
  const { incarnation, sequence = '0' } = await redis.hgetall(keys.all('meta'));
  const ours = (await foldersIn(join(dataDir, 'artifacts'))).filter((dir) => {
    const facts = parseTaskId(basename(dir));
    return facts?.incarnation === incarnation && facts !== undefined && facts.sequence <= Number(sequence);
  });
  const kept = new Set((await store.getMany(ours.map((dir) => basename(dir)))).map(({ id }) => id));
  return ours.filter((dir) => !kept.has(basename(dir)));
}

async function leftover(kind: 'draft' | 'artifacts', path: string): Promise<Leftover> {
  return { kind, path, bytes: await diskBytes(path) };
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
