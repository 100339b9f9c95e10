/** Pages of tasks as the API lists them. */

import { iso, summaryOf, type TaskSummary, waitedMs } from '../client/views.ts';
import { type FactsCache, type FixedFacts, type ListedRecord, readPage } from '../queue/pages.ts';
import type { TaskQueue } from '../queue/task-queue.ts';
import type { TaskState } from '../task/states.ts';

/** A task in a list. Times ISO 8601, durations in ms. */
export interface ListedTask extends TaskSummary {
  readonly repo: string;
  readonly spec: string | null;
  readonly submittedAt: string;
  readonly startedAt: string | null;
  readonly finishedAt: string | null;
  readonly waitMs: number;
  readonly blockedMs: number;
}

/** Which tasks a page is of. */
export interface ListAsked {
  readonly state?: TaskState;
  readonly owner?: string;
  /** The identity of a repository, and how it was given: one of another host is known by its path alone. */
  readonly repo?: { readonly key: string | undefined; readonly given: string };
  /** What title, branch, owner, spec or id must contain, whatever the case. */
  readonly q?: string;
  readonly limit: number;
  readonly cursor?: number;
}

/** Reads one page, newest first. */
export async function readTaskPage(
  queue: TaskQueue,
  { state, limit, cursor, ...sought }: ListAsked,
  cache: FactsCache,
): Promise<{ tasks: ListedTask[]; next: string | null }> {
  const { records, last } = await readPage(queue, { state, matches: matchesOf(sought), limit, before: cursor }, cache);
  return { tasks: records.map(listed), next: last === undefined ? null : String(last) };
}

/** Undefined where all match, which needs no look at the tasks' facts. */
function matchesOf({
  owner,
  repo,
  q,
}: Pick<ListAsked, 'owner' | 'repo' | 'q'>): ((facts: FixedFacts) => boolean) | undefined {
  if (owner === undefined && repo === undefined && q === undefined) return undefined;
  const text = q?.toLowerCase();
  return (facts) =>
    (owner === undefined || facts.owner === owner) &&
    (repo === undefined || facts.repoKey === repo.key || facts.repo === repo.given) &&
    (text === undefined || facts.words.includes(text));
}

function listed(record: ListedRecord): ListedTask {
  const { repo, spec, submittedAt, startedAt, finishedAt } = record;
  return {
    ...summaryOf(record),
    repo,
    spec,
    submittedAt: new Date(submittedAt).toISOString(),
    startedAt: iso(startedAt),
    finishedAt: iso(finishedAt),
    ...waitedMs(record),
  };
}
