/** When waiting tasks are likely to start: what is known about the queue now, put together for `forecast.ts`. */

import { claimSet } from '../claims/claim-set.ts';
import { readEndedRuns } from '../queue/past.ts';
import type { TaskRecord } from '../queue/record.ts';
import type { TaskQueue } from '../queue/task-queue.ts';
import { registeredWorkers } from '../runner/registry.ts';
import { wantsOf } from '../task/stored.ts';
import type { Claims, Task } from '../task/task.ts';
import { classOf } from '../waiting/rank.ts';
import { Durations, type TaskKind } from './durations.ts';
import { forecast, type NeededNode, type Running, type Waiting } from './forecast.ts';
import type { World } from './standing.ts';
import { readWorld } from './world.ts';

/** How many past runs durations are told from: the newest. */
const PAST_RUNS = 1_000;

/** How many queued tasks and how many tickets are looked at. Who comes behind more than that gets no estimate. */
const MAX_WAITING = 2_000;

/** Where estimates come from. */
export interface EstimateParts {
  readonly queue: TaskQueue;
  readonly keepAfterMs: number;
  /** How long past runs took, for who has read it a moment ago; else it is read. */
  readonly durations?: (() => Promise<Durations>) | undefined;
}

/** A task that is not in the queue. */
export interface Newcomer extends Pick<Waiting, 'id' | 'rank' | 'class' | 'policy' | 'nodes' | 'after'> {
  readonly kind: TaskKind;
}

/** Starts, in ms from `now`, which is by Redis's clock; those that nobody can tell of are left out. */
export interface Estimates {
  readonly now: number;
  readonly inMs: ReadonlyMap<string, number>;
}

/** Whose start is asked for. */
export interface Question {
  /** Tasks that are queued or in line, and newcomers. */
  readonly ids: readonly string[];
  readonly newcomers?: readonly Newcomer[];
  /** What is held, where it has been read already. */
  readonly world?: World;
}

/** When some tasks are likely to start, or would be if they were submitted now. */
export async function estimateStarts(
  { queue, keepAfterMs, durations: readPast = async () => await readDurations(queue) }: EstimateParts,
  { ids, newcomers = [], world: seen }: Question,
): Promise<Estimates> {
  const [world, durations, now, slots, queued] = await Promise.all([
    seen ?? readWorld(queue),
    readPast(),
    readNow(queue),
    readSlots(queue),
    readQueued(queue),
  ]);
  // Nobody can tell when a pause ends.
  if (world.isPaused) return { now, inMs: new Map() };
  const records = await readRecords(queue, [
    ...world.holders.flatMap(({ taskId }) => taskId ?? []),
    ...world.tickets.slice(0, MAX_WAITING).map(({ id }) => id),
    ...queued.ids,
    ...ids,
  ]);
  const known: Known = { world, durations, now, records };
  const waiting = [
    ...ticketsOf(known),
    ...tasksOf(known),
    ...newcomers.map(({ kind, ...one }) => ({ ...NEW, ...one, durationMs: durations.remaining(kind) ?? NEVER })),
  ];
  const inMs = forecast({ slots, keepAfterMs, limits: world.limits, running: runningOf(known), waiting }, ids);
  if (queued.isWhole) return { now, inMs };
  const lastRank = Math.max(...queued.ids.map((id) => records.get(id)?.rank ?? 0));
  const inSight = new Set(waiting.filter(({ rank }) => rank <= lastRank).map(({ id }) => id));
  return { now, inMs: new Map([...inMs].filter(([id]) => inSight.has(id))) };
}

/** How long past runs took. */
export async function readDurations(queue: TaskQueue): Promise<Durations> {
  return new Durations(await readEndedRuns(queue, PAST_RUNS));
}

/** The time on Redis's clock, by which all that it holds is dated. */
export async function readNow({ redis }: TaskQueue): Promise<number> {
  const [seconds, micros] = (await redis.time()) as unknown as [string, string];
  return Number(seconds) * 1_000 + Math.floor(Number(micros) / 1_000);
}

/** The locks that a task needs. */
export function nodesOf(
  { repoKey, branch, owner, spec, grown }: Pick<TaskRecord, 'repoKey' | 'branch' | 'owner' | 'spec' | 'grown'>,
  { write, read, resources }: Pick<Claims, 'write' | 'read' | 'resources'>,
): NeededNode[] {
  const paths = { write: [...write, ...grown], read };
  return claimSet({ repoKey, branch, ...paths, resources, owner, spec: spec ?? undefined });
}

/** What a task does when it cannot have everything, in the scheduler's words. */
export function policyOf(onConflict: Task['onConflict']): 'wait' | 'refuse' | 'proceed' {
  if (onConflict === 'fail' || onConflict === 'skip') return 'refuse';
  return onConflict === 'proceed' ? 'proceed' : 'wait';
}

interface Known {
  readonly world: World;
  readonly durations: Durations;
  readonly now: number;
  readonly records: ReadonlyMap<string, TaskRecord>;
}

const NEVER = Number.POSITIVE_INFINITY;

/** One that has not asked yet. */
const NEW = { isTask: true, state: 'queued', waitedMs: 0 } as const;

function runningOf({ world, durations, now, records }: Known): Running[] {
  return world.holders.map(({ id, kind, taskId, since, nodes }) => {
    const record = records.get(taskId ?? '');
    // Nobody can tell when a program lets go, or when a branch is merged.
    const known = kind === 'run' && record !== undefined;
    const remainingMs = known ? durations.remaining(record, Math.max(0, now - since)) : undefined;
    return {
      id: kind === 'run' ? (taskId ?? id) : id,
      nodes,
      isTask: kind === 'run',
      remainingMs: remainingMs ?? NEVER,
    };
  });
}

function ticketsOf({ world, durations, now, records }: Known): Waiting[] {
  return world.tickets.map(({ id, kind, state, rank, since, proceeds, nodes }) => {
    const record = records.get(id);
    return {
      id,
      rank,
      class: classOf(record?.priority ?? 'normal'),
      policy: proceeds ? 'proceed' : 'wait',
      nodes,
      isTask: kind === 'task',
      state: state === 'granted' ? state : 'blocked',
      waitedMs: Math.max(0, now - since),
      durationMs: (record === undefined ? undefined : durations.remaining(record)) ?? NEVER,
      after: [],
    };
  });
}

/** Tasks that have not asked yet. Their state may be a moment behind: who holds something or is in line is not meant. */
function tasksOf({ world, durations, records }: Known): Waiting[] {
  const others = new Set([...world.holders.map(({ taskId }) => taskId), ...world.tickets.map(({ id }) => id)]);
  return [...records.values()]
    .filter(({ id, state }) => state === 'queued' && !others.has(id))
    .toSorted((a, b) => a.sequence - b.sequence)
    .map((record) => ({ record, task: wantsOf(record.envelope) }))
    .map(({ record, task }) => ({
      ...NEW,
      id: record.id,
      rank: record.rank,
      class: classOf(record.priority),
      policy: policyOf(task.onConflict),
      nodes: nodesOf(record, task.claims),
      durationMs: durations.remaining(record) ?? NEVER,
      after: [],
    }));
}

async function readSlots(queue: TaskQueue): Promise<number> {
  const [workers, cap] = await Promise.all([registeredWorkers(queue.redis, queue.keys), queue.bull.cap()]);
  return Math.min(
    cap ?? NEVER,
    workers.reduce((sum, { concurrency }) => sum + concurrency, 0),
  );
}

async function readQueued({ redis, keys }: TaskQueue): Promise<{ ids: string[]; isWhole: boolean }> {
  const ids = await redis.zrange(keys.key('state', 'queued'), '0', String(MAX_WAITING));
  return { ids: ids.slice(0, MAX_WAITING), isWhole: ids.length <= MAX_WAITING };
}

async function readRecords({ store }: TaskQueue, ids: readonly string[]): Promise<Map<string, TaskRecord>> {
  const records = await store.getMany([...new Set(ids)]);
  return new Map(records.map((record) => [record.id, record]));
}
