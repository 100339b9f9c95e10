/** Where a task's work starts from if its branch does not exist yet: a name, or another task's result. */

import { SignalboxError } from '../errors.ts';
import type { TaskRecord } from '../queue/record.ts';
import { checkBuildsUpon } from '../queue/signature.ts';
import type { TaskStore } from '../queue/store.ts';

/** A base as git finds it. */
export interface Base {
  /** A branch, tag or commit. For another task's result its branch. */
  readonly name: string;
  /** What that task has published, in case its branch is gone: merged, perhaps. */
  readonly commit?: string;
}

/**
 * The base of a task; undefined for the remote's HEAD. Throws WORKSPACE when the task it names has left nothing, INVALID
 * when it is not the one that was signed.
 */
export async function baseOf(record: TaskRecord, store: TaskStore): Promise<Base | undefined> {
  const { base } = record;
  if (base === null) return undefined;
  if (!base.startsWith('task:')) return { name: base };
  const below = await taskBelow(record, store);
  if (below === undefined) {
    const id = base.slice('task:'.length);
    throw new SignalboxError('WORKSPACE', `The task ${id}, on whose result this one builds, is not kept any more.`, {
      field: 'base',
      next: 'Name the branch that it was published on instead.',
    });
  }
  // Without a change of its own it has no branch: what it started from is what this one builds upon.
  if (below.commit === null) return await baseOf(below, store);
  return { name: below.branch, commit: below.commit };
}

/**
 * The task that another builds upon, if it names one that is kept. Throws INVALID if that is not the one that was
 * signed, or not as it was signed.
 */
export async function taskBelow(record: TaskRecord, store: TaskStore): Promise<TaskRecord | undefined> {
  if (record.base?.startsWith('task:') !== true) return undefined;
  const below = await store.get(record.base.slice('task:'.length));
  if (below === undefined || store.signer === undefined) return below;
  store.signer.check(below);
  checkBuildsUpon(record, below);
  return below;
}
