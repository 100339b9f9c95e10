/** Kept tasks a page at a time, in the short form that lists show: their records may be long, and they may be many. */

import type { TaskState } from '../task/states.ts';
import type { Place } from './read-records.ts';
import type { TaskRecord } from './record.ts';

/** The fields of a record that lists show. */
const LISTED = [
  'state',
  'code',
  'title',
  'repo',
  'repoKey',
  'branch',
  'owner',
  'spec',
  'priority',
  'attempts',
  'submittedAt',
  'startedAt',
  'finishedAt',
  'blockedMs',
  'blockedSince',
] as const;

/** A task as lists show it. */
export type ListedRecord = Pick<TaskRecord, 'id' | (typeof LISTED)[number]>;

/** Of a task what never changes. */
export interface FixedFacts {
  readonly owner: string;
  readonly repo: string;
  readonly repoKey: string;
  /** Id, title, branch, owner and spec, each on a line, in small letters: what is searched. */
  readonly words: string;
}

/** Which tasks a page is of. */
export interface PageQuestion {
  readonly state?: TaskState | undefined;
  readonly matches?: ((facts: FixedFacts) => boolean) | undefined;
  readonly limit: number;
  /** The sequence number that the page before ended with. */
  readonly before?: number | undefined;
}

/** The ids of a page, newest first; `last` is the sequence number it ends with, if there is more. */
export interface TaskPage {
  readonly ids: readonly string[];
  readonly last: number | undefined;
}

/** How many numbers are looked at in one go while tasks are sought. */
const CHUNK = 1_000;

/** Facts by task id that a long-lived reader keeps; it is emptied when it has grown so large. */
export type FactsCache = Map<string, FixedFacts>;
const MAX_CACHED = 50_000;

/** What a reader of many pages keeps, and how it makes reads once that many ask for at once. */
export interface PageReader {
  readonly facts: FactsCache;
  readonly share: <T>(key: string, read: () => Promise<T>) => Promise<T>;
}

/** Finds one page. By number and not by place, so that tasks that come or go meanwhile move no page. */
export async function readPage(
  place: Place,
  { state, matches, limit, before: last }: PageQuestion,
  { facts, share }: PageReader = { facts: new Map(), share: async (_key, read) => await read() },
): Promise<TaskPage> {
  const { redis, keys } = place;
  const index = state === undefined ? keys.all('tasks') : keys.key('state', state);
  let before = last === undefined ? '+inf' : `(${last}`;
  if (matches === undefined)
    return pageOf(
      pairs(await redis.zrevrangebyscore(index, before, '-inf', 'WITHSCORES', 'LIMIT', 0, limit + 1)),
      limit,
    );
  const found: Entry[] = [];
  for (;;) {
    const from = before;
    const read = async (): Promise<Entry[]> => await readChunk(place, { index, before: from }, facts);
    const entries = await share(`chunk ${index} ${from}`, read);
    found.push(...entries.filter(({ id }) => isWanted(facts.get(id), matches)));
    // One more than asked for tells that there is another page.
    if (found.length > limit || entries.length < CHUNK) return pageOf(found, limit);
    before = `(${entries.at(-1)?.sequence}`;
  }
}

function isWanted(facts: FixedFacts | undefined, matches: (facts: FixedFacts) => boolean): boolean {
  return facts !== undefined && matches(facts);
}

function pageOf(found: readonly Entry[], limit: number): TaskPage {
  const shown = found.slice(0, limit);
  return { ids: shown.map(({ id }) => id), last: found.length > limit ? shown.at(-1)?.sequence : undefined };
}

/** The short form of some tasks; of those among them that are kept. */
export async function readListed({ redis, keys }: Place, ids: readonly string[]): Promise<ListedRecord[]> {
  const pipeline = redis.pipeline();
  for (const id of ids) pipeline.hmget(keys.key('task', id), ...LISTED);
  const replies = (await pipeline.exec()) ?? [];
  return ids.flatMap((id, i) => {
    const values = (replies[i]?.[1] ?? []) as (string | null)[];
    return values[0] === null || values.length === 0 ? [] : [listedRecord(id, values)];
  });
}

/** By the places of `LISTED`: a list is long, and most of a whole record is not asked for. */
function listedRecord(id: string, values: readonly (string | null)[]): ListedRecord {
  const [state, code = null, title, repo, repoKey, branch, owner, spec = null, priority, ...numbers] = values;
  const [attempts, submittedAt, startedAt = null, finishedAt = null, blockedMs, blockedSince = null] = numbers.map(
    (value) => (value === null ? null : Number(value)),
  );
  return {
    id,
    state: state as TaskState,
    code: code as TaskRecord['code'],
    title: title ?? '',
    repo: repo ?? '',
    repoKey: repoKey ?? '',
    branch: branch ?? '',
    owner: owner ?? '',
    spec,
    priority: priority as TaskRecord['priority'],
    attempts: attempts ?? 0,
    submittedAt: submittedAt ?? 0,
    startedAt,
    finishedAt,
    blockedMs: blockedMs ?? 0,
    blockedSince,
  };
}

interface Entry {
  readonly id: string;
  readonly sequence: number;
}

function pairs(flat: readonly string[]): Entry[] {
  return flat.flatMap((id, i) => (i % 2 === 0 ? [{ id, sequence: Number(flat[i + 1]) }] : []));
}

const FIXED = ['owner', 'repo', 'repoKey', 'title', 'branch', 'spec'] as const;

/** Some entries of an index, with the facts of their tasks at hand in `facts`. */
async function readChunk(
  { redis, keys }: Place,
  { index, before }: { readonly index: string; readonly before: string },
  facts: FactsCache,
): Promise<Entry[]> {
  const entries = pairs(await redis.zrevrangebyscore(index, before, '-inf', 'WITHSCORES', 'LIMIT', 0, CHUNK));
  if (facts.size > MAX_CACHED) facts.clear();
  const unknown = entries.filter(({ id }) => !facts.has(id));
  if (unknown.length === 0) return entries;
  const pipeline = redis.pipeline();
  for (const { id } of unknown) pipeline.hmget(keys.key('task', id), ...FIXED);
  const replies = (await pipeline.exec()) ?? [];
  for (const [i, { id }] of unknown.entries()) {
    const [owner, repo, repoKey, ...named] = (replies[i]?.[1] ?? []) as (string | null)[];
    if (typeof owner !== 'string') continue;
    const words = [id, owner, ...named].join('\n').toLowerCase();
    facts.set(id, { owner, repo: repo ?? '', repoKey: repoKey ?? '', words });
  }
  return entries;
}
