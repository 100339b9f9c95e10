/** Import: takes the tasks of an export into this queue, under their own ids, each once however often it is done. */

import { createHash } from 'node:crypto';
import { SignalboxError } from '../errors.ts';
import { invalidError } from '../invalid.ts';
import { readRecord } from '../queue/record.ts';
import type { AcceptedTask, NewTask } from '../queue/store.ts';
import type { TaskQueue } from '../queue/task-queue.ts';
import { parseEnvelope } from '../task/stored.ts';
import { type Exported, readExport } from './export-format.ts';
import { readLimits, setLimit } from './limits.ts';

/** What became of an export's tasks and kept claims. `duplicate`: it was there already. */
export interface Imported {
  readonly tasks: readonly AcceptedTask[];
  readonly kept: readonly { readonly runnerId: string; readonly duplicate: boolean }[];
}

/** How many tasks one script takes: a long one would hold up every lease in Redis. */
const AT_ONCE = 200;

/**
 * Takes an export in. It is checked whole before anything is written; a task or kept claim that this queue has is left
 * as it is, so that an import that was cut off is done again. Limits that are not set here are taken over.
 * Throws INVALID, naming line and field; IDEMPOTENCY for a key that another task has here; REDIS_FULL.
 */
export async function importQueue(queue: TaskQueue, text: string): Promise<Imported> {
  const exported = readExport(text);
  const entries = exported.tasks.map((task) => entryOf(task, queue));
  await takeLimits(queue, exported.header.limits);
  const kept: { runnerId: string; duplicate: boolean }[] = [];
  for (const { runnerId, fields } of exported.kept)
    kept.push({ runnerId, duplicate: !(await queue.locker.rekeep(runnerId, fields)) });
  return { tasks: await takeTasks(queue, entries), kept };
}

async function takeTasks(queue: TaskQueue, entries: readonly Omit<NewTask, 'sequence'>[]): Promise<AcceptedTask[]> {
  const { first } = await queue.store.drawSequence(entries.length);
  const accepted: AcceptedTask[] = [];
  // A task that was submitted again by its key meanwhile has another id here.
  const here = new Map<string, string>();
  for (let at = 0; at < entries.length; at += AT_ONCE) {
    const page = entries.slice(at, at + AT_ONCE).map((entry, i) => ({
      ...entry,
      sequence: first + at + i,
      dependsOn: entry.dependsOn.map((id) => here.get(id) ?? id),
    }));
    const answers = await queue.accept(page);
    for (const [i, { id }] of page.entries()) here.set(id, answers[i]?.id ?? id);
    accepted.push(...answers);
  }
  return accepted;
}

function entryOf(
  { id, ended, dependsOn, fields, line }: Exported['tasks'][number],
  queue: TaskQueue,
): Omit<NewTask, 'sequence'> {
  const place = `line ${line}.task.fields.`;
  const { branchNode, idempotencyKey: key } = fields;
  try {
    const { claims, onConflict } = parseEnvelope(fields.envelope);
    queue.store.signer?.check(readRecord(id, fields));
    return {
      id,
      place,
      ...(key === undefined ? {} : { key }),
      bodyHash: createHash('sha256').update(fields.envelope).digest('hex'),
      dependsOn,
      resources: claims.resources,
      policy: onConflict,
      ...(branchNode === undefined ? {} : { branchNode }),
      imported: ended ?? 'queued',
      fields,
    };
  } catch (error) {
    if (!(error instanceof SignalboxError)) throw error;
    throw invalidError({ field: `${place}envelope`, message: `line ${line}, task ${id}: ${error.message}` });
  }
}

async function takeLimits(queue: TaskQueue, limits: Exported['header']['limits']): Promise<void> {
  const here = await readLimits(queue);
  for (const [name, value] of Object.entries(limits)) {
    if ((here[name] ?? null) === null) await setLimit(queue, name, value);
  }
}
