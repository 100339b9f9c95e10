/**
 * What `export` writes and `import` reads: JSON lines. The first says what follows, then comes a line for each task and
 * each claim that is kept until a merge. A task's fields are those of its record, verbatim, so that its signature stays
 * good, but for those that speak of the moment.
 */

import { z } from 'zod';
import { isNodeList } from '../claims/node-list.ts';
import { invalidError, readBy, strict } from '../invalid.ts';
import { parseTaskId } from '../task/ids.ts';
import { TERMINAL_STATES } from '../task/states.ts';

/** The version of the format. */
export const EXPORT_VERSION = 1;

/** Of a record, what speaks of where the task stands in this Redis and of a run that is under way. */
export const MOMENTARY: readonly string[] = [
  'state',
  'terminal',
  'sequence',
  'waitsFor',
  'inLine',
  'start',
  'rank',
  'pickup',
  'open',
  'runner',
  'worker',
  'workspace',
  'parkedUntil',
  'blockedSince',
  'preemptedBy',
];

const whole = z.string().regex(/^\d{1,15}$/, 'must be a whole number as text');
const taskId = z.string().refine((id) => parseTaskId(id) !== undefined, 'must be a task id');

const header = strict({
  signalboxExport: z.literal(EXPORT_VERSION),
  queue: z.string(),
  /** Of the queue's data; the ids carry it. Null for a queue that has never had a task. */
  incarnation: z.string().nullable(),
  exportedAt: z.iso.datetime(),
  tasks: z.int().min(0),
  kept: z.int().min(0),
  /** By name, as `limits` shows them. */
  limits: z.record(z.string(), z.int().min(0)),
});

const recordFields = z
  .object({
    envelope: z.string(),
    title: z.string(),
    repo: z.string(),
    repoKey: z.string(),
    branch: z.string(),
    owner: z.string(),
    priority: z.string(),
    class: z.enum(['0', '1', '2', '3']),
    maxAttempts: whole,
    submittedAt: whole,
    run: whole.exactOptional(),
    attempts: whole.exactOptional(),
    crashes: whole.exactOptional(),
  })
  .catchall(z.string())
  .superRefine((fields, context) => {
    for (const name of MOMENTARY) {
      if (name in fields) context.addIssue({ code: 'custom', path: [name], message: 'must not be there' });
    }
  });

const task = strict({
  task: strict({
    id: taskId,
    /** Only a task that another one builds upon is carried when it has ended. */
    ended: z.enum(TERMINAL_STATES).nullable(),
    /** Those among the exported tasks that it waits for. */
    dependsOn: z.array(taskId),
    fields: recordFields,
  }),
});

const nodes = z.string().refine(isNodeList, 'must be a list of nodes as it is stored');

const kept = strict({
  kept: strict({
    runnerId: z.string().regex(/^r-[0-9a-f]{32}$/, 'must be a runner’s id'),
    /** The claim's record, verbatim. */
    fields: z.object({ kind: z.literal('merged'), nodes, since: whole }).catchall(z.string()),
  }),
});

/** The first line. */
export type ExportHeader = z.infer<typeof header>;
/** A task. */
export type ExportedTask = z.infer<typeof task>['task'];
/** A claim whose paths stay claimed until a branch is merged. */
export type ExportedClaim = z.infer<typeof kept>['kept'];

/** What a whole file holds. */
export interface Exported {
  readonly header: ExportHeader;
  /** With the number of the line, from 1. */
  readonly tasks: readonly (ExportedTask & { readonly line: number })[];
  readonly kept: readonly ExportedClaim[];
}

/** Reads a whole file. Throws INVALID, naming the line and the field. */
export function readExport(text: string): Exported {
  const lines = text.split('\n');
  const first = readLine(header, lines[0] ?? '', 1);
  const tasks: (ExportedTask & { line: number })[] = [];
  const claims: ExportedClaim[] = [];
  for (const [i, json] of lines.entries()) {
    if (i === 0 || json.trim() === '') continue;
    const line = i + 1;
    if (/^\s*\{\s*"kept"/.test(json)) claims.push(readLine(kept, json, line).kept);
    else tasks.push({ ...readLine(task, json, line).task, line });
  }
  if (tasks.length !== first.tasks || claims.length !== first.kept) {
    throw invalidError({
      field: '',
      message: `the file is not whole: it should have ${first.tasks} tasks and ${first.kept} kept claims, and has ${tasks.length} and ${claims.length}`,
    });
  }
  return { header: first, tasks, kept: claims };
}

function readLine<T>(schema: z.ZodType<T>, json: string, line: number): T {
  const place = { what: `line ${line}`, prefix: `line ${line}` };
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    throw invalidError({ field: place.prefix, message: `line ${line} must be JSON` });
  }
  return readBy(schema, value, place);
}
