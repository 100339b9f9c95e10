/** Which resources cost how much waiting time, and what finer claims would have saved: `claims --hot`. */

import { claimSet } from '../claims/claim-set.ts';
import { conflicts } from '../claims/modes.ts';
import { type ConflictRecord, conflictPages, readConflicts, readStateTimes, type StateTime } from '../queue/past.ts';
import type { TaskQueue } from '../queue/task-queue.ts';
import { wantsOf } from '../task/stored.ts';

/** What waiting for one resource has cost. Durations in ms. */
export interface HotSpot {
  readonly repo: string;
  readonly resource: string;
  /** The sum of all waits for it. */
  readonly waitMs: number;
  readonly waits: number;
  /** How many tasks have waited for it. */
  readonly tasks: number;
  readonly longestMs: number;
  /** The same sum by the owner of those who waited. */
  readonly byOwner: Readonly<Record<string, number>>;
  /**
   * How much of it would not have been, had the holders claimed only the files that they changed: what was waited by
   * tasks that claim none of these.
   */
  readonly finerClaimMs: number;
}

/** What `claims --hot` answers: the costliest first. */
export interface HotView {
  readonly hot: readonly HotSpot[];
}

/** One time that a task waited. */
export interface Wait {
  readonly resource: string;
  readonly holderTaskId: string | null;
  readonly waitMs: number;
}

/** Which tasks to count, and how many resources to show. */
export interface HotQuestion {
  /** The repository's identity; default all. */
  readonly repoKey?: string | undefined;
  readonly limit?: number | undefined;
}

/** How many resources are shown unless told otherwise. */
const SHOWN = 20;

/** Counts the waits of all kept tasks, a page at a time. */
export async function readHot(queue: TaskQueue, { repoKey, limit = SHOWN }: HotQuestion): Promise<HotView> {
  const sums = new HotSums();
  for await (const page of conflictPages(queue)) {
    const waiters = page.filter(
      (task) => task.conflicts.length > 0 && (repoKey === undefined || task.repoKey === repoKey),
    );
    const times = await readStateTimes(
      queue,
      waiters.map(({ id }) => id),
    );
    const waits = waiters.map((task, i) => waitsOf(task, times[i] ?? [], Date.now()));
    const ids = new Set(waits.flat().flatMap(({ holderTaskId }) => holderTaskId ?? []));
    const holders = new Map((await readConflicts(queue, [...ids])).map((holder) => [holder.id, holder]));
    for (const [i, task] of waiters.entries()) sums.add(task, waits[i] ?? [], holders);
  }
  return { hot: sums.costliest(limit) };
}

/** The waits of one task: what each time in state `blocked` was for, and how long it was. Still waiting counts to `now`. */
export function waitsOf(task: WaitingTask, times: readonly StateTime[], now: number): Wait[] {
  return waitSpansOf(task, times).map(({ resource, holderTaskId, from, to }) => ({
    resource,
    holderTaskId,
    waitMs: Math.max(0, (to ?? now) - from),
  }));
}

/** A wait with when it was, in ms since the epoch; `to` is null while it lasts. */
export interface WaitSpan extends Pick<Wait, 'resource' | 'holderTaskId'> {
  readonly from: number;
  readonly to: number | null;
}

type WaitingTask = Pick<ConflictRecord, 'conflicts' | 'code'>;

/** The same waits by when they were. */
export function waitSpansOf({ conflicts: found, code }: WaitingTask, times: readonly StateTime[]): WaitSpan[] {
  const blocked = times.flatMap(({ state, at }, i) =>
    state === 'blocked' ? [{ from: at, to: times[i + 1]?.at ?? null }] : [],
  );
  // Each wait has left one conflict, and a refusal at the end one more. The oldest of both may have been trimmed.
  const causes = code === 'conflict' || code === 'wait_timeout' ? found.slice(0, -1) : found;
  const count = Math.min(blocked.length, causes.length);
  const spans = blocked.slice(blocked.length - count);
  return causes.slice(causes.length - count).map(({ resource, holderTaskId }, i) => ({
    resource,
    holderTaskId,
    from: spans[i]?.from ?? 0,
    to: spans[i]?.to ?? null,
  }));
}

type Party = Pick<ConflictRecord, 'repo' | 'repoKey' | 'branch' | 'owner' | 'envelope' | 'state' | 'filesChanged'>;

/**
 * Whether a waiter could have run beside its holder, had that one claimed only the files that it has changed. False when
 * that is not known: it has not succeeded, or has changed nothing that was counted.
 */
export function wouldFit(waiter: Party, holder: Party): boolean {
  if (holder.state !== 'succeeded' || holder.filesChanged.length === 0) return false;
  const { repoKey, branch } = holder;
  const { read } = wantsOf(holder.envelope).claims;
  const finer = claimSet({ repoKey, branch, write: holder.filesChanged, read });
  const modes = new Map(finer.map(({ name, mode }) => [name, mode]));
  const wanted = claimSet({ repoKey: waiter.repoKey, branch: waiter.branch, ...wantsOf(waiter.envelope).claims });
  return wanted.every(({ name, mode }) => {
    const met = modes.get(name);
    return met === undefined || !conflicts(met, mode);
  });
}

interface Sum {
  readonly repo: string;
  readonly resource: string;
  waitMs: number;
  waits: number;
  tasks: number;
  longestMs: number;
  readonly byOwner: Map<string, number>;
  finerClaimMs: number;
}

/** Adds up waits by resource: no more is kept than a few numbers for each. */
export class HotSums {
  readonly #sums = new Map<string, Sum>();

  /** Adds the waits of one task. Call once a task. */
  add(task: Party, waits: readonly Wait[], holders: ReadonlyMap<string, Party>): void {
    const seen = new Set<Sum>();
    for (const { resource, holderTaskId, waitMs } of waits) {
      const sum = this.#sum(/^(?:branch|path):/.test(resource) ? task.repo : '', resource);
      sum.waitMs += waitMs;
      sum.waits += 1;
      sum.longestMs = Math.max(sum.longestMs, waitMs);
      sum.byOwner.set(task.owner, (sum.byOwner.get(task.owner) ?? 0) + waitMs);
      if (!seen.has(sum)) sum.tasks += 1;
      seen.add(sum);
      const holder = holders.get(holderTaskId ?? '');
      if (holder !== undefined && resource.startsWith('path:') && wouldFit(task, holder)) sum.finerClaimMs += waitMs;
    }
  }

  /** The resources that were waited for longest in all. */
  costliest(limit: number): HotSpot[] {
    return [...this.#sums.values()]
      .sort((a, b) => b.waitMs - a.waitMs)
      .slice(0, limit)
      .map((sum) => ({ ...sum, byOwner: Object.fromEntries(sum.byOwner) }));
  }

  #sum(repo: string, resource: string): Sum {
    const key = JSON.stringify([repo, resource]);
    const sum = this.#sums.get(key) ?? newSum(repo, resource);
    this.#sums.set(key, sum);
    return sum;
  }
}

function newSum(repo: string, resource: string): Sum {
  return { repo, resource, waitMs: 0, waits: 0, tasks: 0, longestMs: 0, byOwner: new Map(), finerClaimMs: 0 };
}
