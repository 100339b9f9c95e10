/** Kept tasks a page at a time, in the short form that lists show: their records may be long, and they may be many. */

import type { TaskState } from '../task/states.ts';
import type { Place } from './past.ts';
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

/** Finds one page. By number and not by place, so that tasks that come or go meanwhile move no page. */
export async function readPage(place: Place, question: PageQuestion, cache: FactsCache = new Map()): Promise<TaskPage> {
  const { state, matches, limit } = question;
  const { redis, keys } = place;
  const index = state === undefined ? keys.all('tasks') : keys.key('state', state);
  const found: { id: string; sequence: number }[] = [];
  let before = question.before === undefined ? '+inf' : `(${question.before}`;
  const size = matches === undefined ? limit + 1 : CHUNK;
  for (;;) {
    const chunk = await redis.zrevrangebyscore(index, before, '-inf', 'WITHSCORES', 'LIMIT', 0, size);
    const entries = pairs(chunk);
    const wanted = matches === undefined ? entries : await matching(place, { entries, matches }, cache);
    found.push(...wanted);
    // One more than asked for tells that there is another page.
    if (found.length > limit || entries.length < size) break;
    before = `(${entries.at(-1)?.sequence}`;
  }
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

async function matching(
  { redis, keys }: Place,
  { entries, matches }: { readonly entries: readonly Entry[]; readonly matches: (facts: FixedFacts) => boolean },
  cache: FactsCache,
): Promise<Entry[]> {
  if (cache.size > MAX_CACHED) cache.clear();
  const unknown = entries.filter(({ id }) => !cache.has(id));
  const pipeline = redis.pipeline();
  for (const { id } of unknown) pipeline.hmget(keys.key('task', id), 'owner', 'repo', 'repoKey');
  const replies = unknown.length === 0 ? [] : ((await pipeline.exec()) ?? []);
  for (const [i, { id }] of unknown.entries()) {
    const [owner, repo, repoKey] = (replies[i]?.[1] ?? []) as (string | null)[];
    if (typeof owner === 'string') cache.set(id, { owner, repo: repo ?? '', repoKey: repoKey ?? '' });
  }
  return entries.filter(({ id }) => {
    const facts = cache.get(id);
    return facts !== undefined && matches(facts);
  });
}
