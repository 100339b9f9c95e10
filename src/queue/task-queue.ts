/**
 * One queue of tasks: the records, their BullMQ jobs, the line and the locks, kept in step.
 *
 * Each operation first changes the truth (a script on the records) and then does what follows from it: a job for a
 * task that may run. What follows may be cut off by a crash; then it is noted in Redis (`unqueued`) and `tend` does it
 * again. Whoever is served is woken by the script itself (`bull.lua`).
 */

import type { Claim } from '../claims/claim.ts';
import { lockServers } from '../claims/lock-servers.ts';
import { Locker } from '../claims/locker.ts';
import type { Config } from '../config/config.ts';
import { SignalboxError } from '../errors.ts';
import type { Connection } from '../redis/connect.ts';
import { type Keys, queueKeys } from '../redis/keys.ts';
import { orderByDependencies } from '../task/dependencies.ts';
import { parseTaskId } from '../task/ids.ts';
import { isTerminal, type Outcome, type TaskState } from '../task/states.ts';
import { Line } from '../waiting/line.ts';
import { shouldRebase } from '../waiting/rank.ts';
import { BullQueue, type JobOrder } from './bull.ts';
import { notFound } from './not-found.ts';
import type { CancelCode, TaskRecord } from './record.ts';
import { Signer } from './signature.ts';
import {
  type AcceptedTask,
  type Finish,
  type Finished,
  type NewTask,
  type Refusal,
  readFinished,
  TaskStore,
  type Writer,
} from './store.ts';
import { newTasks, type PreparedTask } from './submit.ts';
import { traceSubmission } from './tracing.ts';
import { wakeAgain } from './wake.ts';

/** How long a grant or a task without a job may be left before somebody else than its maker takes care of it. */
const LEFT_OVER_MS = 2_000;

/** How many tickets and tasks one sweep looks at, oldest first, so that a long queue does not make it slow. */
const SWEEP_LIMIT = 1_000;

const WAITING: readonly TaskState[] = ['queued', 'scheduled', 'blocked'];

/** What became of a cancel: done, or asked of the runner. */
export type Cancelled = 'cancelled' | 'requested';

/** What `supersede` must know of the newer task. */
export interface Superseding {
  readonly branchNode: string;
  readonly dependsOn: readonly string[];
}

/** How a run ends its task. */
export interface RunEnd {
  readonly id: string;
  readonly writer: Writer;
  readonly finish: Finish;
}

/** What a queue goes by. */
export type QueueConfig = Pick<Config, 'queue' | 'keepAfterMs' | 'historyLimit' | 'leaseTtlMs'> &
  Partial<Pick<Config, 'signingKey' | 'redisUrl' | 'lockRedisUrls'>>;

/** Why a task was cancelled, in its history. */
export function reasonOf(code: CancelCode): string {
  return code === 'cancelled' ? 'cancelled by a user' : 'a newer task on the same branch takes its place';
}

/** The queue named in a configuration, over a connection that the caller closes. */
export class TaskQueue {
  readonly redis: Connection;
  readonly keys: Keys;
  readonly leaseTtlMs: number;
  readonly store: TaskStore;
  readonly bull: BullQueue;
  readonly line: Line;
  readonly locker: Locker;

  constructor(redis: Connection, config: QueueConfig) {
    const { queue, keepAfterMs, historyLimit, leaseTtlMs, signingKey } = config;
    this.redis = redis;
    this.keys = queueKeys(queue);
    this.leaseTtlMs = leaseTtlMs;
    const shared = { redis, keys: this.keys, keepAfterMs };
    const signer = signingKey === undefined ? undefined : new Signer(signingKey, queue);
    this.store = new TaskStore({ ...shared, historyLimit, signer });
    this.bull = new BullQueue(shared);
    this.line = new Line(shared);
    this.locker = new Locker({ ...shared, leaseTtlMs, servers: lockServers(config) });
  }

  /**
   * Accepts a list of tasks, all or none; answers in the given order. Throws INVALID or IDEMPOTENCY naming the entry, or
   * REDIS_FULL.
   */
  async submit(list: readonly PreparedTask[]): Promise<AcceptedTask[]> {
    if (list.length === 0) return [];
    return await traceSubmission(list.length, async (traceparent) => await this.#submit(list, traceparent));
  }

  /** Accepts entries whose dependencies come before them, all or none; throws as `submit` does. */
  async accept(entries: readonly NewTask[]): Promise<AcceptedTask[]> {
    const { accepted, ranks, rankBase } = await this.store.submit(entries);
    const orders = entries.flatMap(({ id, fields }, i) =>
      accepted[i]?.duplicate === false && accepted[i]?.state === 'queued'
        ? [{ id, title: String(fields['title']), rank: ranks[i] ?? 0 }]
        : [],
    );
    // They are accepted from here on. Jobs that cannot be added now are noted, and `tend` adds them; what a task takes
    // the place of is ended at the latest when it is blocked.
    await this.#giveJobs(orders, rankBase).catch(() => {});
    for (const [i, { id, policy, branchNode, dependsOn }] of entries.entries()) {
      if (policy === 'supersede' && branchNode !== undefined && accepted[i]?.duplicate === false)
        await this.supersede(id, { branchNode, dependsOn }).catch(() => []);
    }
    return accepted;
  }

  /** The record of a task. Throws NOT_FOUND, or TASK_LOST for an id that a queue gave out and Redis has lost. */
  async get(id: string): Promise<TaskRecord> {
    const record = await this.store.get(id);
    if (record !== undefined) return record;
    throw await notFound(id, this);
  }

  /** Ends a task and gives a job to those that waited for it alone. */
  async finish(id: string, writer: Writer, finish: Finish): Promise<Finished | Refusal> {
    return await this.#finished(id, await this.store.finish(id, writer, finish));
  }

  /** Ends a task as `finish` does, and gives the claim of its run back in the same step. */
  async endRun(claim: Claim, { id, writer, finish }: RunEnd): Promise<Finished | Refusal> {
    const finished = readFinished(await claim.endTask(this.store.ending(id, writer, finish)));
    // Perhaps by this very call, whose answer was lost; a job that was parked behind the run has nobody left to wake it.
    if (finished.kind === 'ended') await this.bull.remove(id);
    return await this.#finished(id, finished);
  }

  async #finished(id: string, finished: Finished | Refusal): Promise<Finished | Refusal> {
    if (finished.kind !== 'ok') return finished;
    // The tasks are noted, and `tend` gives them their jobs if it cannot be done now.
    await this.enqueue(finished.ready).catch(() => {});
    // A pick-up that came while the run was under way, its job's lock being lost, has parked the job behind it.
    if (finished.wasInLine) await this.bull.remove(id);
    return finished;
  }

  /**
   * Cancels a task: at once if it waits; by asking its runner if it runs, or any worker if its last run died and may have
   * published. Throws STATE if it has ended.
   */
  async cancel(id: string, code: CancelCode = 'cancelled'): Promise<Cancelled> {
    const outcome: Outcome = { state: 'cancelled', code };
    const finished = await this.finish(id, { by: 'any' }, { outcome, reason: reasonOf(code), from: WAITING });
    if (finished.kind === 'ok') {
      await this.bull.remove(id);
      return 'cancelled';
    }
    if (finished.kind === 'missing') throw await notFound(id, this);
    if (finished.kind !== 'illegal') {
      throw new SignalboxError('STATE', `Task ${id} has ended already.`, {
        next: `See how with \`signalbox show ${id}\`; \`signalbox retry ${id}\` runs it again as a new task.`,
      });
    }
    await this.store.requestCancel(id, code);
    await this.redis.publish(this.keys.channel('control'), JSON.stringify({ cancel: id, code }));
    // One that waits after its worker died is ended by whoever takes it up: now, and not when it is its turn.
    if (WAITING.includes(finished.state)) await this.bull.promote(id);
    return 'requested';
  }

  /** Cancels the older tasks on a task's branch, those it depends on aside. Returns their ids. */
  async supersede(id: string, { branchNode, dependsOn }: Superseding): Promise<string[]> {
    // By number and not by id: one that was imported has the id of another Redis.
    const all = await this.store.getMany(await this.store.onBranch(branchNode));
    const sequence = all.find((one) => one.id === id)?.sequence ?? 0;
    const older = all.filter((one) => one.sequence < sequence && !dependsOn.includes(one.id)).map((one) => one.id);
    for (const other of older) {
      // One that has ended meanwhile needs nothing.
      await this.cancel(other, 'superseded').catch((error: unknown) => {
        if (!(error instanceof SignalboxError)) throw error;
      });
    }
    return older;
  }

  /** Starts no more tasks until `resume`; what runs goes on, what waits keeps its place. False if it was paused. */
  async pause(): Promise<boolean> {
    await this.bull.setPaused(true);
    return await this.line.setPaused(true);
  }

  /** Goes on after `pause`. False if it was not paused. */
  async resume(): Promise<boolean> {
    const changed = await this.line.setPaused(false);
    await this.bull.setPaused(false);
    await this.bull.poke();
    return changed;
  }

  /** Whether no more tasks are started; also half-way through `pause`, or where that was cut off. */
  async isPaused(): Promise<boolean> {
    const [line, bull] = await Promise.all([this.line.isPaused(), this.bull.isPaused()]);
    return line || bull;
  }

  /** Gives each of these tasks its job. */
  async enqueue(ids: readonly string[]): Promise<void> {
    if (ids.length === 0) return;
    const [records, rankBase] = await Promise.all([this.store.getMany(ids), this.store.rankBase()]);
    await this.bull.add(
      records.filter(({ state }) => !isTerminal(state)),
      rankBase,
    );
    await this.store.queued(ids);
  }

  /**
   * Does what a dead process left undone: jobs not added, grants not delivered, tickets whose task is gone or ended,
   * tasks whose job was removed from outside. Returns the tasks it had to promote.
   */
  async tend(): Promise<string[]> {
    await this.enqueue(await this.store.unqueued(LEFT_OVER_MS));
    const promoted = await wakeAgain(await this.line.leftovers(LEFT_OVER_MS), this);
    for (const ticket of await this.#abandonedTickets()) await this.line.leave(ticket);
    await this.enqueue(await this.#jobless());
    await this.#rebase();
    return promoted;
  }

  /** Ends the client's side; the Redis connection stays the caller's. */
  async close(): Promise<void> {
    this.locker.close();
    await this.bull.close();
  }

  async #submit(list: readonly PreparedTask[], traceparent: string | undefined): Promise<AcceptedTask[]> {
    const order = orderByDependencies(list.map(({ task }) => task));
    const sorted = order.map((index) => list[index]).filter((prepared) => prepared !== undefined);
    const drawn = await this.store.drawSequence(sorted.length);
    const { signer } = this.store;
    const entries = newTasks(sorted, { ...drawn, signer, traceparent }).map((entry, i) => ({
      ...entry,
      place: list.length === 1 ? '' : `[${order[i]}].`,
    }));
    const accepted = await this.accept(entries);
    return order.map((_index, place) => accepted[order.indexOf(place)]).filter((one) => one !== undefined);
  }

  async #giveJobs(orders: readonly JobOrder[], rankBase: number): Promise<void> {
    await this.bull.add(orders, rankBase);
    await this.store.queued(orders.map(({ id }) => id));
  }

  /** Tickets of tasks that are gone or have ended, and of waiters without a job whose heartbeat has stopped. */
  async #abandonedTickets(): Promise<string[]> {
    const tickets = await this.line.ids(SWEEP_LIMIT);
    const pipeline = this.redis.pipeline();
    for (const id of tickets) {
      if (parseTaskId(id) === undefined) pipeline.exists(this.keys.key('waiter', id));
      else pipeline.hmget(this.keys.key('task', id), 'state', 'terminal');
    }
    const replies = (await pipeline.exec()) ?? [];
    return tickets.filter((_id, i) => {
      const reply = replies[i]?.[1];
      return Array.isArray(reply) ? reply[0] === null || reply[1] !== null : reply === 0;
    });
  }

  /**
   * Tasks that have no job and should: only somebody from outside can have removed it. That of a task that runs, too, once
   * its worker is dead and its lock on the job has lapsed: nobody would run the task again.
   */
  async #jobless(): Promise<string[]> {
    const [waiting, running] = await Promise.all([
      this.store.waitingForWorker(SWEEP_LIMIT),
      this.store.ids({ state: 'running' }),
    ]);
    const ids = [...waiting, ...running];
    const has = await this.bull.have(ids);
    return ids.filter((_id, i) => has[i] === false);
  }

  /** Counts BullMQ's priorities anew once the base has fallen far behind: the first in line first. */
  async #rebase(): Promise<void> {
    const base = await this.store.rankBase();
    const now = await this.line.virtualTime();
    if (!shouldRebase(base, now)) return;
    await this.store.setRankBase(now);
    const waiting = await this.store.waitingForWorker(Number.POSITIVE_INFINITY);
    const ranks = (await this.store.getMany(waiting)).map(({ id, rank }) => ({ id, rank }));
    for (const { id, rank } of ranks.toSorted((a, b) => a.rank - b.rank)) await this.bull.reprioritize(id, rank, now);
  }
}
