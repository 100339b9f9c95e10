/** From validated tasks to entries for `submit.lua`: ids, ranks, branches, dependencies by id. Pure. */

import { createHash } from 'node:crypto';
import { branchNode } from '../claims/claim-set.ts';
import { defaultBranch } from '../task/branches.ts';
import { newTaskId } from '../task/ids.ts';
import { serializeTask } from '../task/stored.ts';
import type { Task } from '../task/task.ts';
import { classOf } from '../waiting/rank.ts';
import type { Signer } from './signature.ts';
import type { NewTask } from './store.ts';

/** A validated task with what only the submitter's machine can tell about it. */
export interface PreparedTask {
  readonly task: Task;
  readonly repo: {
    /** What is locked. */
    readonly key: string;
    /** What git fetches from. */
    readonly url: string;
    /** The only host that has it, for a local repository. */
    readonly host?: string;
  };
  /** Whom it counts for when the task does not say. */
  readonly owner: string;
  readonly retryOf?: string;
}

/** What of a queue its new tasks carry. */
interface Drawn {
  /** The first of their sequence numbers. */
  readonly first: number;
  readonly incarnation: string;
  /** Without it they are not signed. */
  readonly signer?: Signer | undefined;
  /** The trace that they belong to. */
  readonly traceparent?: string | undefined;
}

/** The entries for a list of tasks whose dependencies come before them. */
export function newTasks(list: readonly PreparedTask[], drawn: Drawn): Omit<NewTask, 'place'>[] {
  const ids = list.map((_prepared, i) => newTaskId(drawn.first + i, drawn.incarnation));
  const byKey = new Map(
    list.flatMap(({ task }, i) =>
      task.idempotencyKey === undefined ? [] : [[task.idempotencyKey, ids[i] ?? ''] as const],
    ),
  );
  return list
    .map((prepared, i) => newTask(prepared, { ...drawn, id: ids[i] ?? '', sequence: drawn.first + i, byKey }))
    .map((task) => (drawn.signer === undefined ? task : signed(task, drawn.signer)));
}

interface Place {
  readonly id: string;
  readonly sequence: number;
  readonly byKey: ReadonlyMap<string, string>;
  readonly traceparent?: string | undefined;
}

function newTask(
  { task, repo, owner, retryOf }: PreparedTask,
  { id, sequence, byKey, traceparent }: Place,
): Omit<NewTask, 'place'> {
  const envelope = serializeTask(task);
  const key = task.idempotencyKey;
  return {
    id,
    sequence,
    ...(key === undefined ? {} : { key }),
    bodyHash: createHash('sha256').update(envelope).digest('hex'),
    dependsOn: task.dependsOn.map((name) => byKey.get(name) ?? name),
    resources: task.claims.resources,
    policy: task.onConflict,
    ...(task.branch === undefined ? {} : { branchNode: branchNode(repo.key, task.branch) }),
    fields: {
      envelope,
      title: task.title,
      // Not as submitted: `.` says nothing elsewhere.
      repo: repo.url,
      repoKey: repo.key,
      ...(repo.host === undefined ? {} : { repoHost: repo.host }),
      branch: task.branch ?? defaultBranch(id),
      ...(task.base === undefined ? {} : { base: baseById(task.base, byKey) }),
      ...(task.branch === undefined ? {} : { branchNode: branchNode(repo.key, task.branch) }),
      owner: task.owner ?? owner,
      ...(task.spec === undefined ? {} : { spec: task.spec }),
      priority: task.priority,
      class: classOf(task.priority),
      preemptible: task.preemptible,
      maxAttempts: task.attempts,
      ...(key === undefined ? {} : { idempotencyKey: key }),
      ...(retryOf === undefined ? {} : { retryOf }),
      ...(traceparent === undefined ? {} : { traceparent }),
    },
  };
}

function signed(task: Omit<NewTask, 'place'>, signer: Signer): Omit<NewTask, 'place'> {
  return { ...task, fields: { ...task.fields, signature: signer.sign(task.id, task.fields) } };
}

/** A base that names a task of the same list by its key names it by id from here on. */
function baseById(base: string, byKey: ReadonlyMap<string, string>): string {
  if (!base.startsWith('task:')) return base;
  const name = base.slice('task:'.length);
  return `task:${byKey.get(name) ?? name}`;
}
