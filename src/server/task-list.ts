/** Pages of tasks as the API lists them. */

import { iso, summaryOf, type TaskSummary, waitedMs } from '../client/views.ts';
import {
  type FactsCache,
  type FixedFacts,
  type ListedRecord,
  type PageReader,
  readListed,
  readPage,
} from '../queue/pages.ts';
import type { TaskQueue } from '../queue/task-queue.ts';
import { isTerminal, type TaskState } from '../task/states.ts';
import type { Reads } from './reads.ts';

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

/** What a reader of pages remembers. How a task that has ended is listed does not change any more. */
export class ListMemory implements PageReader {
  readonly facts: FactsCache = new Map();
  readonly share: PageReader['share'];
  readonly #ended = new Map<string, string>();

  constructor(reads: Reads) {
    this.share = async (key, read) => await reads.share(key, read);
  }

  /** The JSON of a task that has ended, if it was listed before. */
  ended(id: string): string | undefined {
    return this.#ended.get(id);
  }

  /** Remembers one that has ended; the one that came first is forgotten when there are too many. */
  remember(id: string, text: string): void {
    this.#ended.set(id, text);
    if (this.#ended.size <= MAX_REMEMBERED) return;
    const [oldest] = this.#ended.keys();
    if (oldest !== undefined) this.#ended.delete(oldest);
  }
}

/** Some hundred bytes each. */
const MAX_REMEMBERED = 20_000;

/** Reads one page, newest first, as JSON: `{tasks,next}`. */
export async function readTaskPage(queue: TaskQueue, asked: ListAsked, memory: ListMemory): Promise<string> {
  const { state, limit, cursor, ...sought } = asked;
  const { ids, last } = await readPage(queue, { state, matches: matchesOf(sought), limit, before: cursor }, memory);
  const unknown = ids.filter((id) => memory.ended(id) === undefined);
  const read = new Map<string, string>();
  for (const record of unknown.length === 0 ? [] : await readListed(queue, unknown)) {
    const text = JSON.stringify(listed(record));
    read.set(record.id, text);
    if (isTerminal(record.state)) memory.remember(record.id, text);
  }
  // One that was trimmed meanwhile has no text.
  const texts = ids.flatMap((id) => read.get(id) ?? memory.ended(id) ?? []);
  return `{"tasks":[${texts.join(',')}],"next":${last === undefined ? 'null' : `"${last}"`}}`;
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
