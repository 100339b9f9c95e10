/**
 * The folder of a run, `<data>/runs/<runner>`: its checkout, its private HOME, and a note of whose it is. All of a run
 * lies in one folder so that one rename takes over what a dead worker has left, and one removal takes it away.
 */

import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { z } from 'zod';
import { isWhole, savePatch } from '../git/changes.ts';
import type { Git } from '../git/git.ts';
import { liveness, ownIdentity } from '../git/process-identity.ts';
import { removeTree } from '../git/workspaces.ts';
import type { TaskQueue } from '../queue/task-queue.ts';
import { MAX_DURATION_MS } from '../task/duration.ts';
import { parseTaskId } from '../task/ids.ts';
import { scrubFile } from './scrub-file.ts';
import { endLeftovers } from './supervisor/leftovers.ts';

/** Whose run a folder is. */
export interface RunNote {
  readonly taskId: string;
  readonly run: number;
  readonly workerId: string;
}

/** Where the parts of a run lie in its folder. */
export function runPaths(dataDir: string, runnerId: string) {
  const folder = join(dataDir, 'runs', runnerId);
  return { folder, workspace: join(folder, 'workspace'), home: join(folder, 'home') };
}

/** Makes the folder, with its note first: one without a note holds nothing. */
export async function makeRunFolder(folder: string, note: RunNote): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await writeNote(folder, note);
  await mkdir(join(folder, 'home', 'tmp'), { recursive: true, mode: 0o700 });
}

/** Notes that the folder holds no work that is not kept elsewhere, so that it can go whoever takes it away. */
export async function markSaved(folder: string): Promise<void> {
  await writeFile(join(folder, SAVED), '');
}

/** A run's folder that nobody owns any more. */
export interface AbandonedRun {
  readonly folder: string;
  /** Undefined for one that was left before anything was in it. */
  readonly note: RunNote | undefined;
}

/**
 * The folders of runs whose process is dead and whose claim nobody holds any more; so its steps should be dead too, since
 * its supervisor killed them with the worker's pipe or at the run's deadline. If the process was in another container,
 * its number says nothing: the folder is abandoned when its worker is not registered, or, if this queue never had the
 * task, once no run can last so long. `leftBehind` are runners whose folder a living process has given up.
 */
export async function abandonedRuns(
  dataDir: string,
  queue: TaskQueue,
  leftBehind: ReadonlySet<string> = new Set(),
): Promise<AbandonedRun[]> {
  const root = join(dataDir, 'runs');
  const found: AbandonedRun[] = [];
  for (const name of await readdir(root).catch(() => [])) {
    const folder = join(root, name);
    const note = await readNote(folder);
    const isLeft = note === undefined || leftBehind.has(runnerOf(folder));
    const state = isLeft ? 'dead' : await liveness(note.owner);
    if (state === 'alive' || (await isHolder(queue, runnerOf(folder)))) continue;
    if (state === 'unknown' && note !== undefined && !(await isForgotten(folder, note, queue))) continue;
    found.push({ folder, note });
  }
  return found;
}

/** How work that a dead run has left is kept. */
export interface Saving {
  /** The file to save it to. */
  readonly fileFor: (note: RunNote) => string;
  /** The values to mask in it. */
  readonly secretsOf: (note: RunNote) => Promise<readonly string[]>;
}

/**
 * Takes an abandoned folder away, and ends what may still be at work in it. Work that was not published is saved first;
 * answers the file, or null if there was none. Several may try it: a rename gives the folder to one of them.
 */
export async function removeAbandoned(
  git: Git,
  { folder, note }: AbandonedRun,
  saving: Saving,
): Promise<string | null> {
  const mine = `${folder.replace(/\.[^./]+$/, '')}.${process.pid}-${Date.now()}`;
  try {
    await rename(folder, mine);
  } catch {
    return null;
  }
  if (note !== undefined) await writeNote(mine, note);
  await endLeftovers([runnerOf(folder)]);
  const savedTo =
    note === undefined || (await isSaved(mine)) ? null : await saveWork(git, { folder: mine, note }, saving);
  await markSaved(mine);
  await removeTree(mine);
  return savedTo;
}

const NOTE = 'note.json';
const SAVED = 'saved';

const noteSchema = z.object({
  taskId: z.string().refine((id) => parseTaskId(id) !== undefined),
  run: z.int().positive(),
  workerId: z.string(),
  owner: z.object({ pid: z.int(), place: z.string(), boot: z.string(), started: z.string() }),
});

async function writeNote(folder: string, { taskId, run, workerId }: RunNote): Promise<void> {
  const file = join(folder, NOTE);
  await writeFile(`${file}.new`, JSON.stringify({ taskId, run, workerId, owner: await ownIdentity() }));
  await rename(`${file}.new`, file);
}

async function readNote(folder: string): Promise<z.infer<typeof noteSchema> | undefined> {
  const text = await readFile(join(folder, NOTE), 'utf8').catch(() => '');
  return text === '' ? undefined : noteSchema.parse(JSON.parse(text));
}

async function isSaved(folder: string): Promise<boolean> {
  return await stat(join(folder, SAVED)).then(
    () => true,
    () => false,
  );
}

function runnerOf(folder: string): string {
  return basename(folder).split('.')[0] ?? '';
}

async function isHolder({ redis, keys }: TaskQueue, runnerId: string): Promise<boolean> {
  return (await redis.exists(keys.key('record', runnerId))) === 1;
}

async function isForgotten(folder: string, note: RunNote, { redis, keys }: TaskQueue): Promise<boolean> {
  if ((await redis.hget(keys.all('meta'), 'incarnation')) === parseTaskId(note.taskId)?.incarnation)
    return (await redis.exists(keys.key('worker', note.workerId))) === 0;
  const made = await stat(folder).catch(() => undefined);
  return made !== undefined && Date.now() - made.mtimeMs > MAX_DURATION_MS;
}

/** Answers null for no work, or a checkout that was never whole. Throws if there is work and it cannot be kept. */
async function saveWork(
  git: Git,
  { folder, note }: { readonly folder: string; readonly note: RunNote },
  { fileFor, secretsOf }: Saving,
): Promise<string | null> {
  const file = fileFor(note);
  const dir = join(folder, 'workspace');
  if (!(await isWhole(git, dir))) return null;
  const draft = `${file}.${process.pid}`;
  await mkdir(dirname(file), { recursive: true });
  try {
    if ((await savePatch(git, { dir, file: draft })) === 0) return null;
    await scrubFile(draft, await secretsOf(note));
    await rename(draft, file);
    return file;
  } finally {
    await rm(draft, { force: true });
  }
}
