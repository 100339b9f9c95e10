/** Export: all accepted tasks that have not ended, as lines that `import` takes, here or in another Redis. */

import { type RecordHash, readHashes } from '../queue/read-records.ts';
import type { TaskQueue } from '../queue/task-queue.ts';
import { isTerminal, STATES, type TaskState } from '../task/states.ts';
import {
  EXPORT_VERSION,
  type ExportedClaim,
  type ExportedTask,
  type ExportHeader,
  MOMENTARY,
} from './export-format.ts';
import { readLimits } from './limits.ts';

/** What was exported: the text of the file, and how much is in it. */
export interface Export {
  readonly lines: readonly string[];
  readonly tasks: number;
  readonly kept: number;
}

/**
 * Reads the queue: its tasks that have not ended with those that they build upon, the claims that are kept until a
 * merge, and its limits. A task that runs is carried as one that waits. Changes nothing.
 */
export async function exportQueue(queue: TaskQueue): Promise<Export> {
  const [tasks, kept, limits, meta] = await Promise.all([
    readTasks(queue),
    readKept(queue),
    readLimits(queue),
    queue.redis.hgetall(queue.keys.all('meta')),
  ]);
  const header: ExportHeader = {
    signalboxExport: EXPORT_VERSION,
    queue: queue.keys.prefix.replace(/^\{signalbox:|\}:$/g, ''),
    incarnation: meta['incarnation'] ?? null,
    exportedAt: new Date().toISOString(),
    tasks: tasks.length,
    kept: kept.length,
    limits: Object.fromEntries(Object.entries(limits).flatMap(([name, n]) => (n === null ? [] : [[name, n]]))),
  };
  const all = [header, ...tasks.map((task) => ({ task })), ...kept.map((claim) => ({ kept: claim }))];
  return { lines: all.map((line) => JSON.stringify(line)), tasks: tasks.length, kept: kept.length };
}

async function readTasks(queue: TaskQueue): Promise<ExportedTask[]> {
  const { redis, keys, store } = queue;
  const open = (await Promise.all(STATES.filter((s) => !isTerminal(s)).map((state) => store.ids({ state })))).flat();
  // First who waits for whom, then the tasks: a dependency that has ended meanwhile has let go whoever waited for it.
  const dependents = await readAll(open, (id) => redis.smembers(keys.key('dependents', id)));
  const read = async (ids: readonly string[]): Promise<RecordHash[]> => await readHashes(queue, ids);
  const records = new Map((await read(open)).map((hash, i) => [open[i] ?? '', hash]));
  for (const [id, hash] of records) if (!isOpen(hash)) records.delete(id);
  await addBases(records, read);
  const dependsOn = (id: string): string[] =>
    open.filter((other, i) => records.has(other) && dependents[i]?.includes(id));
  return [...records]
    .sort(([, a], [, b]) => Number(a['sequence']) - Number(b['sequence']))
    .map(([id, hash]) => ({
      id,
      ended: isOpen(hash) ? null : (hash['state'] as ExportedTask['ended']),
      dependsOn: isOpen(hash) ? dependsOn(id) : [],
      fields: without(hash, MOMENTARY) as ExportedTask['fields'],
    }));
}

/** What a task builds upon may have ended long ago; without its record nobody knew where to start. */
async function addBases(
  records: Map<string, RecordHash>,
  read: (ids: readonly string[]) => Promise<RecordHash[]>,
): Promise<void> {
  for (let named = basesOf(records); named.length > 0; named = basesOf(records)) {
    const hashes = await read(named);
    for (const [i, id] of named.entries()) records.set(id, hashes[i] ?? {});
  }
  for (const [id, hash] of records) if (hash['state'] === undefined) records.delete(id);
}

function basesOf(records: ReadonlyMap<string, RecordHash>): string[] {
  const named = [...records.values()].flatMap(({ base = '' }) => (base.startsWith('task:') ? [base.slice(5)] : []));
  return [...new Set(named)].filter((id) => !records.has(id));
}

async function readKept({ redis, keys }: TaskQueue): Promise<ExportedClaim[]> {
  const holders = await redis.zrange(keys.all('merged'), '0', '-1');
  const records = await readAll(holders, (holder) => redis.hgetall(keys.key('record', holder)));
  return holders.flatMap((runnerId, i) => {
    const fields = records[i] as ExportedClaim['fields'];
    return fields.kind === 'merged' ? [{ runnerId, fields }] : [];
  });
}

async function readAll<T>(ids: readonly string[], read: (id: string) => Promise<T>): Promise<T[]> {
  return await Promise.all(ids.map(read));
}

function isOpen({ state }: RecordHash): boolean {
  return state !== undefined && !isTerminal(state as TaskState);
}

function without(hash: RecordHash, names: readonly string[]): RecordHash {
  return Object.fromEntries(Object.entries(hash).filter(([name]) => !names.includes(name)));
}
