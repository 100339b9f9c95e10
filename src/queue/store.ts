/** Task records in Redis: the only writer of `task:*`, through one script an operation. */

import { type Grant, readGrants } from '../claims/answers.ts';
import type { ConflictPolicy } from '../claims/locker.ts';
import type { Reply } from '../claims/request-client.ts';
import type { Connection } from '../redis/connect.ts';
import type { Keys } from '../redis/keys.ts';
import { rethrow } from '../redis/refusal.ts';
import { Script } from '../redis/scripts.ts';
import { newIncarnation } from '../task/ids.ts';
import { isTerminal, type Outcome, STATES, type TaskState, TRANSITIONS } from '../task/states.ts';
import { readRecords } from './read-records.ts';
import {
  type CancelCode,
  cancelOf,
  type HistoryEntry,
  type RecordFields,
  readChange,
  type TaskRecord,
} from './record.ts';
import { guard, type Refusal, readRefusal, type Writer } from './refusal.ts';
import type { Signer } from './signature.ts';
import { submitError } from './submit-error.ts';

export type { Refusal, Writer } from './refusal.ts';

const script = (name: string): Script => new Script(new URL(name, import.meta.url));
const SUBMIT = script('./submit.lua');
const PICKUP = script('./pickup.lua');
const MOVE = script('./move.lua');
const FINISH = script('./finish.lua');
const SURVIVED = script('./survived.lua');

/** A task as it is handed to `submit`. */
export interface NewTask {
  readonly id: string;
  readonly sequence: number;
  /** How an error names this entry's fields: '' or `[index].`. */
  readonly place: string;
  readonly key?: string;
  readonly bodyHash: string;
  readonly dependsOn: readonly string[];
  /** Named resources that must have a capacity. */
  readonly resources: readonly string[];
  readonly policy: ConflictPolicy;
  /** The node of its branch, if it chose one: others on that branch may supersede it. */
  readonly branchNode?: string;
  /** It was accepted before, by a Redis that was lost, and has ended there or not; its id is taken as it is. */
  readonly imported?: 'queued' | Outcome['state'];
  readonly fields: RecordFields;
}

/** A task that was accepted, now or (`duplicate`) before. */
export interface AcceptedTask {
  readonly id: string;
  readonly state: TaskState;
  readonly duplicate: boolean;
}

/** A change that is not final. Without `to` only the fields are written, while the task runs. */
export interface Move {
  readonly to?: Exclude<TaskState, Outcome['state']>;
  readonly reason?: string;
  readonly fields?: RecordFields;
  /** Narrows the states it may come from. */
  readonly from?: readonly TaskState[];
}

/** A task's end. */
export interface Finish {
  readonly outcome: Outcome;
  readonly reason: string;
  readonly fields?: RecordFields;
  readonly from?: readonly TaskState[];
}

/** What an end led to: tasks that must get a job now, and tickets that were served. */
export interface Finished {
  readonly kind: 'ok';
  /** Whether the task had a ticket: its job may be parked, with nobody left to wake it. */
  readonly wasInLine: boolean;
  readonly ready: readonly string[];
  readonly grants: readonly Grant[];
}

/** A worker's pick-up of a task's job. */
export type PickUp = { readonly kind: 'missing' | 'ended' } | { readonly kind: 'ok'; readonly record: TaskRecord };

/** The limits the scripts keep to. */
export interface StoreOptions {
  readonly redis: Connection;
  readonly keys: Keys;
  readonly keepAfterMs: number;
  /** How many finished tasks are kept. */
  readonly historyLimit: number;
  /** Undefined: tasks are not signed. */
  readonly signer: Signer | undefined;
}

/** The task records of one queue. */
export class TaskStore {
  /** Tells whether a record is as it was submitted. */
  readonly signer: Signer | undefined;
  readonly #options: StoreOptions;

  constructor(options: StoreOptions) {
    this.signer = options.signer;
    this.#options = options;
  }

  /** Draws `count` sequence numbers; returns the first of them and the queue's incarnation. Throws REDIS_FULL. */
  async drawSequence(count: number): Promise<{ first: number; incarnation: string }> {
    const meta = this.#options.keys.all('meta');
    const replies = await this.#options.redis
      .multi()
      .hsetnx(meta, 'incarnation', newIncarnation())
      .hget(meta, 'incarnation')
      .hincrby(meta, 'sequence', count)
      .exec()
      .catch(rethrow);
    return { incarnation: String(replies?.[1]?.[1]), first: Number(replies?.[2]?.[1]) - count + 1 };
  }

  /** Accepts all of `tasks` or none. Throws IDEMPOTENCY or INVALID, naming the entry. Also returns ranks and their base. */
  async submit(tasks: readonly NewTask[]): Promise<{ accepted: AcceptedTask[]; ranks: number[]; rankBase: number }> {
    const { redis, keys } = this.#options;
    const reply = (await SUBMIT.run(redis, [keys.all('meta')], [JSON.stringify(tasks)])) as (string | number)[];
    if (reply[0] !== 'ok') throw submitError(reply, tasks);
    const accepted: AcceptedTask[] = [];
    const ranks: number[] = [];
    for (let i = 2; i < reply.length; i += 4) {
      accepted.push({ id: String(reply[i]), state: reply[i + 1] as TaskState, duplicate: reply[i + 2] === 1 });
      ranks.push(Number(reply[i + 3]));
    }
    return { accepted, ranks, rankBase: Number(reply[1] ?? 0) };
  }

  /** The record of a task whose job was taken. The pick-up counts from the request for its claim on, or `pickUp`. */
  async find(id: string): Promise<PickUp> {
    const [record] = await this.getMany([id]);
    if (record === undefined) return { kind: 'missing' };
    return isTerminal(record.state) ? { kind: 'ended' } : { kind: 'ok', record };
  }

  /** Counts a pick-up that does not get as far as a claim, which makes every earlier one stale, and returns the record. */
  async pickUp(id: string): Promise<PickUp> {
    const { redis, keys } = this.#options;
    const counted = (await PICKUP.run(redis, [keys.key('task', id)], [])) as 'missing' | 'ended' | 'ok';
    return counted === 'ok' ? await this.find(id) : { kind: counted };
  }

  /** Moves a task or writes its fields; tells whether a cancel was asked for meanwhile. */
  async move(
    id: string,
    writer: Writer,
    move: Move,
  ): Promise<{ kind: 'ok'; cancel: CancelCode | undefined } | Refusal> {
    const from = move.from ?? (move.to === undefined ? ['running'] : comingFrom(move.to));
    const [answer, cancel] = (await MOVE.run(
      this.#options.redis,
      [this.#options.keys.key('task', id)],
      [id, move.to ?? '', from.join(','), ...guard(writer), move.reason ?? '', JSON.stringify(move.fields ?? {})],
    )) as [string, string];
    return answer === 'ok' ? { kind: 'ok', cancel: cancelOf(cancel) } : readRefusal(answer);
  }

  /** Ends a task. */
  async finish(id: string, writer: Writer, finish: Finish): Promise<Finished | Refusal> {
    const { redis, keys } = this.#options;
    const argument = JSON.stringify(this.ending(id, writer, finish));
    return readFinished((await FINISH.run(redis, [keys.key('task', id)], [argument])) as Reply);
  }

  /** What the scripts that end a task are told, see `finish.lua`. */
  ending(id: string, writer: Writer, finish: Finish): object {
    const { keepAfterMs, historyLimit } = this.#options;
    const { outcome, reason, fields = {}, from = comingFrom(outcome.state) } = finish;
    const [by, number] = guard(writer);
    const code = outcome.code ?? undefined;
    const allowed = { from: from.join(','), guard: by, number };
    return { id, to: outcome.state, code, ...allowed, reason, fields, keepAfterMs, historyLimit };
  }

  /** Takes back that a run was counted as a crash: its worker was only stopped for longer than its lease. */
  async survived(id: string, run: number): Promise<void> {
    await SURVIVED.run(this.#options.redis, [this.#options.keys.key('task', id)], [run]);
  }

  /** Leaves a note that a running task shall stop; its runner reads it at its next write. */
  async requestCancel(id: string, code: CancelCode): Promise<void> {
    await this.#options.redis.hset(this.#options.keys.key('task', id), 'cancelRequested', code);
  }

  /** The ids of tasks on a branch that have not ended. */
  async onBranch(branchNode: string): Promise<string[]> {
    const start = `${branchNode}\0`;
    const entries = await this.#options.redis.zrangebylex(
      this.#options.keys.all('branches'),
      `[${start}`,
      `(${branchNode}\x01`,
    );
    return entries.map((entry) => entry.slice(start.length));
  }

  /** The task for which a run shall make way, if that one still waits. */
  async preemptor(id: string): Promise<string | undefined> {
    const { redis, keys } = this.#options;
    const by = await redis.hget(keys.key('task', id), 'preemptedBy');
    if (by === null || (await redis.exists(keys.key('ticket', by))) === 0) return undefined;
    return by;
  }

  /** The record of a task, if Redis has it. */
  async get(id: string): Promise<TaskRecord | undefined> {
    return (await this.getMany([id]))[0];
  }

  /** The records of those of `ids` that exist, in that order. */
  async getMany(ids: readonly string[]): Promise<TaskRecord[]> {
    return (await readRecords(this.#options, ids)).filter((record) => record !== undefined);
  }

  /** A task's changes of state, oldest first. */
  async history(id: string): Promise<HistoryEntry[]> {
    const lines = await this.#options.redis.lrange(this.#options.keys.key('history', id), 0, -1);
    return lines.map(readChange).map(({ state, at, reason }) => ({ state, at: new Date(at).toISOString(), reason }));
  }

  /** Ids of kept tasks, newest first; with a state, only those in it. */
  async ids({ state, limit = 0 }: { readonly state?: TaskState; readonly limit?: number } = {}): Promise<string[]> {
    const { redis, keys } = this.#options;
    return await redis.zrevrange(state === undefined ? keys.all('tasks') : keys.key('state', state), 0, limit - 1);
  }

  /** How many tasks are in each state. */
  async counts(): Promise<Record<TaskState, number>> {
    const { redis, keys } = this.#options;
    const pipeline = redis.pipeline();
    for (const state of STATES) pipeline.zcard(keys.key('state', state));
    const replies = (await pipeline.exec()) ?? [];
    return Object.fromEntries(STATES.map((state, i) => [state, Number(replies[i]?.[1] ?? 0)])) as Record<
      TaskState,
      number
    >;
  }

  /** Tasks that must get a job in BullMQ, first those that have waited longest for it. */
  async unqueued(olderThanMs = 0): Promise<string[]> {
    // By the clock that they were noted by, which need not be this machine's.
    const [seconds] = (await this.#options.redis.time()) as unknown as [string];
    const before = olderThanMs === 0 ? '+inf' : String(Number(seconds) * 1_000 - olderThanMs);
    return await this.#options.redis.zrangebyscore(this.#options.keys.all('unqueued'), '-inf', before);
  }

  /** Tasks that should have a job now, oldest first: queued, in line, or to be tried again. */
  async waitingForWorker(limit: number): Promise<string[]> {
    const { redis, keys } = this.#options;
    const pipeline = redis.pipeline();
    for (const state of ['queued', 'blocked', 'scheduled'])
      pipeline.zrange(keys.key('state', state), '0', Number.isFinite(limit) ? String(limit - 1) : '-1');
    const [queued, blocked, scheduled] = ((await pipeline.exec()) ?? []).map(([, ids]) => ids as string[]);
    const retries = (await this.getMany(scheduled ?? [])).filter(({ pickup }) => pickup > 0).map(({ id }) => id);
    return [...(queued ?? []), ...(blocked ?? []), ...retries];
  }

  /** Notes that these tasks have their job. */
  async queued(ids: readonly string[]): Promise<void> {
    if (ids.length > 0) await this.#options.redis.zrem(this.#options.keys.all('unqueued'), ...ids);
  }

  /** The virtual time that BullMQ's priorities are counted from. */
  async setRankBase(base: number): Promise<void> {
    await this.#options.redis.hset(this.#options.keys.all('meta'), 'rankBase', base);
  }

  /** See `setRankBase`. */
  async rankBase(): Promise<number> {
    return Number((await this.#options.redis.hget(this.#options.keys.all('meta'), 'rankBase')) ?? 0);
  }
}

/** Reads what a script that ends a task has answered. */
export function readFinished([kind, inLine, count, ...rest]: Reply): Finished | Refusal {
  if (kind !== 'ok') return readRefusal(String(kind));
  const ready = Number(count);
  const grants = readGrants(rest.slice(ready));
  return { kind, wasInLine: inLine === 1, ready: rest.slice(0, ready).map(String), grants };
}

function comingFrom(to: TaskState): TaskState[] {
  return STATES.filter((from) => TRANSITIONS[from].includes(to) || (from === 'running' && to === 'running'));
}
