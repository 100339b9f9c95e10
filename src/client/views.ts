/** Records and the state of the queue in the shapes of the JSON contract. */

import { isExplicit } from '../claims/claim-set.ts';
import { type ListedRecord, readListed, readPage } from '../queue/pages.ts';
import type { Artifact, ConflictReport, HistoryEntry, PhaseReport, TaskRecord } from '../queue/record.ts';
import type { TaskQueue } from '../queue/task-queue.ts';
import { registeredWorkers } from '../runner/registry.ts';
import type { TaskCode, TaskState } from '../task/states.ts';
import { type HeldResource, heldResource, readHolders } from './held.ts';

/** A task as `list` shows it. */
export interface TaskSummary {
  readonly id: string;
  readonly state: TaskState;
  readonly code: TaskCode | null;
  readonly title: string;
  readonly branch: string;
  readonly owner: string;
  readonly priority: string;
  readonly attempts: number;
}

/** A task as `show` shows it. Durations in ms, times ISO 8601, null where not known. */
export interface TaskView extends TaskSummary {
  readonly repo: string;
  readonly base: string | null;
  readonly spec: string | null;
  readonly runs: number;
  readonly crashes: number;
  readonly retryOf: string | null;
  readonly submittedAt: string;
  readonly startedAt: string | null;
  readonly finishedAt: string | null;
  /** From submission to the first start, or until now or its end if it never started. */
  readonly waitMs: number;
  /** The part of its life in which something it claims was held by others. */
  readonly blockedMs: number;
  readonly host: string | null;
  readonly runnerId: string | null;
  readonly workerId: string | null;
  readonly workspace: string | null;
  readonly isolation: string | null;
  readonly concurrentRunners: number | null;
  readonly fenceToken: string | null;
  /** `ledger`, or `branch: ` and why the remote keeps none. */
  readonly fence: string | null;
  readonly commit: string | null;
  /** Why the last run failed; null if it did not. */
  readonly error: string | null;
  readonly phases: readonly PhaseReport[];
  readonly conflicts: readonly ConflictReport[];
  readonly filesChanged: readonly string[];
  readonly artifacts: readonly Artifact[];
  readonly history: readonly HistoryEntry[];
}

/** The state of the whole queue: what `status` answers. */
export interface Status {
  readonly maxParallelRunners: number | null;
  /** Whether no more tasks are started for now. */
  readonly paused: boolean;
  readonly queued: number;
  readonly scheduled: number;
  readonly blocked: number;
  readonly running: number;
  readonly finished: number;
  readonly workers: readonly {
    readonly id: string;
    readonly name: string;
    readonly host: string;
    readonly pid: number;
    readonly concurrency: number;
    readonly running: number;
    readonly leaseMs: number;
  }[];
  readonly runners: readonly {
    readonly id: string;
    readonly taskId: string | null;
    readonly workerId: string;
    readonly phase: string | null;
    readonly workspace: string | null;
    readonly startedAt: string;
    readonly claims: readonly HeldResource[];
  }[];
}

/** How many records `readList` reads at a time. */
const LIST_PAGE = 500;

/** Which tasks are listed; a repository by its identity. */
export interface ListQuestion {
  readonly state?: TaskState | undefined;
  readonly owner?: string | undefined;
  readonly repoKey?: string | undefined;
  readonly limit?: number | undefined;
}

/** A record as `list` shows it. */
export function summaryOf({
  id,
  state,
  code,
  title,
  branch,
  owner,
  priority,
  attempts,
}: Pick<TaskRecord, keyof TaskSummary>): TaskSummary {
  return { id, state, code, title, branch, owner, priority, attempts };
}

/** Kept tasks, newest first. */
export async function readList(
  queue: TaskQueue,
  { state, owner, repoKey, limit = Number.MAX_SAFE_INTEGER }: ListQuestion,
): Promise<TaskSummary[]> {
  const matches =
    owner === undefined && repoKey === undefined
      ? undefined
      : (facts: { readonly owner: string; readonly repoKey: string }): boolean =>
          (owner === undefined || facts.owner === owner) && (repoKey === undefined || facts.repoKey === repoKey);
  const summaries: TaskSummary[] = [];
  let before: number | undefined;
  do {
    const page = await readPage(queue, {
      state,
      matches,
      limit: Math.min(LIST_PAGE, limit - summaries.length),
      before,
    });
    summaries.push(...(await readListed(queue, page.ids)).map(summaryOf));
    before = page.last;
  } while (before !== undefined && summaries.length < limit);
  return summaries;
}

/** How long a task has waited for its first start, and how long for what others held. In ms. */
export function waitedMs({
  submittedAt,
  startedAt,
  finishedAt,
  blockedMs,
  blockedSince,
}: Pick<ListedRecord, 'submittedAt' | 'startedAt' | 'finishedAt' | 'blockedMs' | 'blockedSince'>): {
  readonly waitMs: number;
  readonly blockedMs: number;
} {
  return {
    waitMs: Math.max(0, (startedAt ?? finishedAt ?? Date.now()) - submittedAt),
    blockedMs: blockedMs + (blockedSince === null ? 0 : Math.max(0, Date.now() - blockedSince)),
  };
}

/** A record and its history as `show` shows it. */
export function viewOf(record: TaskRecord, history: readonly HistoryEntry[]): TaskView {
  const { repo, base, spec, run, crashes, retryOf, submittedAt, startedAt, finishedAt } = record;
  return {
    ...summaryOf(record),
    repo,
    base,
    spec,
    runs: run,
    crashes,
    retryOf,
    submittedAt: new Date(submittedAt).toISOString(),
    startedAt: iso(startedAt),
    finishedAt: iso(finishedAt),
    ...waitedMs(record),
    host: record.host,
    runnerId: record.runnerId,
    workerId: record.workerId,
    workspace: record.workspace,
    isolation: record.isolation,
    concurrentRunners: record.concurrentRunners,
    fenceToken: record.fenceToken,
    fence: record.fence,
    commit: record.commit,
    error: record.error,
    phases: record.phases,
    conflicts: record.conflicts,
    filesChanged: record.filesChanged,
    artifacts: record.artifacts,
    history,
  };
}

/** Reads the state of the queue. */
export async function readStatus(queue: TaskQueue): Promise<Status> {
  const [counts, cap, paused, workers, holders] = await Promise.all([
    queue.store.counts(),
    queue.bull.cap(),
    queue.isPaused(),
    registeredWorkers(queue.redis, queue.keys),
    readHolders(queue),
  ]);
  const records = new Map(
    (await queue.store.getMany(holders.flatMap(({ taskId }) => taskId ?? []))).map((record) => [record.id, record]),
  );
  const { queued, scheduled, blocked, running, succeeded, failed, cancelled, skipped } = counts;
  return {
    maxParallelRunners: cap ?? null,
    paused,
    queued,
    scheduled,
    blocked,
    running,
    finished: succeeded + failed + cancelled + skipped,
    workers: workers.map(({ id, name, host, pid, concurrency, leaseMs }) => {
      const own = holders.filter((holder) => holder.workerId === id).length;
      return { id, name, host, pid, concurrency, running: own, leaseMs };
    }),
    runners: holders.map(({ id, taskId, workerId, since, nodes }) => {
      const record = records.get(taskId ?? '');
      return {
        id,
        taskId,
        workerId,
        phase: record?.phases.at(-1)?.name ?? null,
        workspace: record?.workspace ?? null,
        startedAt: new Date(since).toISOString(),
        claims: nodes.filter(isExplicit).map(heldResource),
      };
    }),
  };
}

/** A time as it is shown. */
export function iso(ms: number | null): string | null {
  return ms === null ? null : new Date(ms).toISOString();
}
