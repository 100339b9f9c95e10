/** What a submission would lead to, with nothing queued: `submit --dry-run` and the library's `estimate`. */

import type { TaskRecord } from '../queue/record.ts';
import type { NewTask } from '../queue/store.ts';
import { newTasks, type PreparedTask } from '../queue/submit.ts';
import { submitError } from '../queue/submit-error.ts';
import type { TaskQueue } from '../queue/task-queue.ts';
import { orderByDependencies } from '../task/dependencies.ts';
import { newIncarnation } from '../task/ids.ts';
import { isTerminal, type TaskState } from '../task/states.ts';
import { costOf } from '../waiting/fair.ts';
import { classOf, PRIORITIES, rankOf } from '../waiting/rank.ts';
import { type EstimateParts, estimateStarts, type Newcomer, nodesOf, policyOf } from './estimate.ts';

/** What would become of one task. */
export interface TaskEstimate {
  /** Null for a task that would be new. */
  readonly id: string | null;
  readonly title: string;
  readonly state: TaskState;
  /** Whether it has been submitted before. */
  readonly duplicate: boolean;
  /** Null when nobody can tell, or when it would not start any more. */
  readonly estimatedStartAt: string | null;
  readonly estimatedWaitMs: number | null;
}

/** A task of the list, and what stands instead of it or in its way. */
interface Entry {
  readonly task: NewTask;
  readonly prepared: PreparedTask;
  /** The task that was submitted before with its key. */
  readonly instead: string | undefined;
  /** Where it would begin. */
  readonly state: TaskState;
  /** Ids of tasks that it has to wait for. */
  readonly after: readonly string[];
}

/** Checks a list as `submit` does and estimates each start, in the given order. Throws what `submit` would. */
export async function dryRun(parts: EstimateParts, list: readonly PreparedTask[]): Promise<TaskEstimate[]> {
  if (list.length === 0) return [];
  const order = orderByDependencies(list.map(({ task }) => task));
  const entries = await check(parts.queue, list, order);
  const fresh = entries.filter(({ instead, state }) => instead === undefined && !isTerminal(state));
  const newcomers = await placed(parts.queue, fresh);
  const ids = entries.flatMap(({ task, instead, state }) => (isTerminal(state) ? [] : [instead ?? task.id]));
  const { now, inMs } = await estimateStarts(parts, { ids, newcomers });
  const answers = entries.map(({ task, instead, prepared, state }) => {
    const waitMs = inMs.get(instead ?? task.id);
    return {
      id: instead ?? null,
      title: prepared.task.title,
      state,
      duplicate: instead !== undefined,
      estimatedStartAt: waitMs === undefined ? null : new Date(now + waitMs).toISOString(),
      estimatedWaitMs: waitMs === undefined ? null : Math.round(waitMs),
    };
  });
  return order.flatMap((_index, place) => answers[order.indexOf(place)] ?? []);
}

/** The entries in the order of their dependencies. The rules are those of `submit.lua`. */
async function check(queue: TaskQueue, list: readonly PreparedTask[], order: readonly number[]): Promise<Entry[]> {
  const { redis, keys } = queue;
  const sorted = order.flatMap((index) => list[index] ?? []);
  const [incarnation, sequence] = await redis.hmget(keys.all('meta'), 'incarnation', 'sequence');
  const drawn = { first: Number(sequence ?? 0) + 1, incarnation: incarnation ?? newIncarnation() };
  const place = (i: number): string => (list.length === 1 ? '' : `[${order[i]}].`);
  const tasks = newTasks(sorted, drawn).map((task, i) => ({ ...task, place: place(i) }));
  const known = await readKnown(queue, tasks);
  const entries = new Map<string, Entry>();
  for (const [index, task] of tasks.entries()) {
    const fault = faultOf(task, known, entries);
    if (fault !== undefined) throw submitError([fault[0], index, fault[1]], tasks);
    const prepared = sorted[index];
    const instead = known.kept.get(known.before.get(task.key ?? '')?.id ?? '');
    const { state, after } = beginning(task, known, entries);
    if (prepared !== undefined)
      entries.set(task.id, { task, prepared, instead: instead?.id, state: instead?.state ?? state, after });
  }
  return [...entries.values()];
}

/** What the queue knows of what a list names. */
interface Known {
  /** By idempotency key. */
  readonly before: ReadonlyMap<string, { readonly id: string; readonly bodyHash: string }>;
  /** By id. */
  readonly kept: ReadonlyMap<string, TaskRecord>;
  readonly limits: Readonly<Record<string, number>>;
}

async function readKnown({ redis, keys, store, line }: TaskQueue, tasks: readonly NewTask[]): Promise<Known> {
  const given = tasks.flatMap(({ key }) => key ?? []);
  const notes = given.length === 0 ? [] : await redis.hmget(keys.all('idempotency'), ...given);
  const before = new Map(
    given.flatMap((key, i) => {
      const [id, bodyHash] = notes[i]?.split(' ') ?? [];
      return id === undefined || bodyHash === undefined ? [] : [[key, { id, bodyHash }] as const];
    }),
  );
  const named = new Set([...[...before.values()].map(({ id }) => id), ...tasks.flatMap(({ dependsOn }) => dependsOn)]);
  const [records, limits] = await Promise.all([store.getMany([...named]), line.limits()]);
  return { before, kept: new Map(records.map((record) => [record.id, record])), limits };
}

/** Why a task would be refused, as `submitError` takes it. */
function faultOf(
  { key = '', bodyHash, dependsOn, resources }: NewTask,
  { before, kept, limits }: Known,
  entries: ReadonlyMap<string, Entry>,
): [string, string | number] | undefined {
  const earlier = before.get(key);
  const isDuplicate = earlier !== undefined && kept.has(earlier.id);
  if (isDuplicate && earlier.bodyHash !== bodyHash) return ['idempotency', earlier.id];
  const unknown = dependsOn.findIndex((other) => !entries.has(other) && !kept.has(other));
  if (unknown >= 0) return ['dependency', unknown];
  const missing = isDuplicate ? -1 : resources.findIndex((name) => limits[`resource:${name}`] === undefined);
  return missing >= 0 ? ['resource', missing] : undefined;
}

/** The state that a task would begin in, and what it would wait for. */
function beginning(
  { dependsOn }: NewTask,
  { kept }: Known,
  entries: ReadonlyMap<string, Entry>,
): Pick<Entry, 'state' | 'after'> {
  const needed = dependsOn.map((other) => {
    const entry = entries.get(other);
    return { id: entry?.instead ?? other, state: entry?.state ?? kept.get(other)?.state ?? 'queued' };
  });
  const after = needed.filter(({ state }) => !isTerminal(state)).map(({ id }) => id);
  if (needed.some(({ state }) => isTerminal(state) && state !== 'succeeded')) return { state: 'skipped', after };
  return { state: after.length > 0 ? 'scheduled' : 'queued', after };
}

/** Newcomers with the ranks that `fair.lua` would give them now. */
async function placed(queue: TaskQueue, entries: readonly Entry[]): Promise<Newcomer[]> {
  const owners = [...new Set(entries.map(({ task }) => String(task.fields['owner'])))];
  if (owners.length === 0) return [];
  const { now, next, costs } = await readFair(queue, owners);
  return entries.map(({ task: { id, fields }, prepared: { task, repo }, after }) => {
    const owner = String(fields['owner']);
    const own = classOf(task.priority);
    const start = Math.max(now[own] ?? 0, next.get(owner) ?? 0);
    next.set(owner, start + (costs.get(owner) ?? 0));
    const kind = { title: task.title, owner, spec: task.spec ?? null, repoKey: repo.key };
    return {
      id,
      kind,
      rank: rankOf(task.priority, start),
      class: own,
      policy: policyOf(task.onConflict),
      nodes: nodesOf({ ...kind, branch: String(fields['branch']), grown: [] }, task.claims),
      after,
    };
  });
}

interface Fair {
  /** Virtual time by class. */
  readonly now: readonly number[];
  /** Where each owner's last waiting task ends. */
  readonly next: Map<string, number>;
  readonly costs: ReadonlyMap<string, number>;
}

async function readFair({ redis, keys }: TaskQueue, owners: readonly string[]): Promise<Fair> {
  const pipeline = redis.pipeline();
  pipeline.hmget(keys.all('fair'), ...owners.map((owner) => `f:${owner}`));
  pipeline.hmget(keys.all('limits'), ...owners.map((owner) => `weight:${owner}`));
  pipeline.hmget(keys.all('fair'), ...PRIORITIES.map((_priority, at) => `v:${at}`));
  for (const at of PRIORITIES.keys()) pipeline.zrange(keys.key('waiting', String(at)), '0', '0', 'WITHSCORES');
  const replies = ((await pipeline.exec()) ?? []).map(([, reply]) => reply as (string | null)[]);
  const [ends = [], weights = [], times = [], ...heads] = replies;
  const starts = heads.map(([, start]) => (typeof start === 'string' ? Number(start) : Number.POSITIVE_INFINITY));
  return {
    now: virtualTimes(starts, times.map(Number)),
    next: new Map(owners.map((owner, i) => [owner, Number(ends[i] ?? 0)])),
    costs: new Map(owners.map((owner, i) => [owner, costOf(Number(weights[i] ?? 1))])),
  };
}

/** Now, for each class: the earliest start of its own and all higher ones, and never back. */
function virtualTimes(heads: readonly number[], before: readonly number[]): number[] {
  let earliest = Number.POSITIVE_INFINITY;
  let now = 0;
  return heads.map((head, at) => {
    earliest = Math.min(earliest, head);
    now = Math.max(now, before[at] ?? 0, Number.isFinite(earliest) ? earliest : 0);
    return now;
  });
}
