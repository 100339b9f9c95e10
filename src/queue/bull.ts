/** The BullMQ queue of a Signalbox queue, from the producer's side. `consumer.ts` is the other side. */

import type { BaseAdapter } from '@bull-board/api/baseAdapter';
import { Job, Queue } from 'bullmq';
import type { Connection } from '../redis/connect.ts';
import type { Keys } from '../redis/keys.ts';
import { bullPriority } from '../waiting/rank.ts';
import { bullTracing } from './tracing.ts';

/** The version of a job's data. The task itself is in its record. */
export const JOB_VERSION = 1;

/** What a BullMQ job carries: enough for Bull Board to show which task it stands for. */
export interface JobData {
  readonly v: typeof JOB_VERSION;
  readonly title: string;
}

/** A task that gets a job. */
export interface JobOrder {
  readonly id: string;
  readonly title: string;
  readonly rank: number;
}

/** BullMQ's error codes for a job that does not exist and for one in another state. */
const NOT_PARKED: readonly number[] = [-1, -3];

/** About how many of its own events BullMQ keeps; Signalbox reads none of them. */
const KEPT_EVENTS = 1_000;

/**
 * BullMQ would note that a job has no attempts. Without it the options of a job are short enough for Redis to lay out the
 * job in one piece, which takes half the memory; what else holds for all jobs, the consumer says.
 */
const NO_ATTEMPTS = { attempts: undefined } as unknown as { readonly attempts: number };

/** A job that stands for no task: that some worker takes it shows that jobs are being taken. There is at most one. */
export const CANARY = 'canary';

/** Adds, wakes and removes jobs, and holds the cap. */
export class BullQueue {
  readonly #queue: Queue<JobData>;
  readonly #redis: Connection;
  readonly #keys: Keys;

  constructor(options: { readonly redis: Connection; readonly keys: Keys }) {
    this.#redis = options.redis;
    this.#keys = options.keys;
    this.#queue = new Queue(options.keys.bull.name, {
      connection: options.redis,
      prefix: options.keys.bull.prefix,
      streams: { events: { maxLen: KEPT_EVENTS } },
      ...bullTracing(),
    });
    this.#queue.on('error', () => {});
  }

  /** Gives tasks a job each. Adding one that has a job already changes nothing. */
  async add(orders: readonly JobOrder[], rankBase: number): Promise<void> {
    await this.#queue.addBulk(
      orders.map(({ id, title, rank }) => ({
        name: 'task',
        data: { v: JOB_VERSION, title },
        opts: { ...NO_ATTEMPTS, jobId: id, priority: bullPriority(rank, rankBase) },
      })),
    );
  }

  /** Lets a parked job be taken now. False if it is not parked: taken already, gone, or not parked yet. */
  async promote(id: string): Promise<boolean> {
    try {
      await new Job(this.#queue, 'task', {}, {}, id).promote();
      return true;
    } catch (error) {
      if (NOT_PARKED.includes((error as { code?: number }).code ?? 0)) return false;
      throw error;
    }
  }

  /** Takes a job away unless a worker has it. */
  async remove(id: string): Promise<void> {
    // BullMQ refuses while a worker holds the job; that worker then finds that the task has ended.
    await this.#queue.remove(id).catch(() => 0);
  }

  /** Which of these tasks have a job. */
  async have(ids: readonly string[]): Promise<boolean[]> {
    const pipeline = this.#redis.pipeline();
    for (const id of ids) pipeline.exists(this.#queue.toKey(id));
    return ((await pipeline.exec()) ?? []).map(([, reply]) => reply === 1);
  }

  /** How many jobs are parked or postponed. */
  async parked(): Promise<number> {
    return await this.#queue.getDelayedCount();
  }

  /** Gives a job the priority that its rank has from another base on. A job that is gone or ended is left alone. */
  async reprioritize(id: string, rank: number, rankBase: number): Promise<void> {
    await new Job(this.#queue, 'task', {}, {}, id)
      .changePriority({ priority: bullPriority(rank, rankBase) })
      .catch((error: unknown) => {
        if (!NOT_PARKED.includes((error as { code?: number }).code ?? 0)) throw error;
      });
  }

  /** Lets workers take no more jobs, or lets them go on. */
  async setPaused(paused: boolean): Promise<void> {
    if (paused) await this.#queue.pause();
    else await this.#queue.resume();
  }

  /** Whether workers take no jobs. */
  async isPaused(): Promise<boolean> {
    return await this.#queue.isPaused();
  }

  /** Sets the most runners in the whole fleet; undefined takes the cap away. Takes effect at once. */
  async setCap(cap: number | undefined): Promise<void> {
    if (cap === undefined) await this.#queue.removeGlobalConcurrency();
    else await this.#queue.setGlobalConcurrency(cap);
    await this.poke();
  }

  /** The most runners in the whole fleet, if there is a cap. */
  async cap(): Promise<number | undefined> {
    return (await this.#queue.getGlobalConcurrency()) ?? undefined;
  }

  /**
   * Wakes an idle worker. BullMQ does so when a job comes, but not when the cap rises or a closing worker frees its
   * slot: idle workers would sleep on for up to `drainDelay` (5 s). It is the marker that BullMQ itself uses.
   */
  async poke(): Promise<void> {
    await this.#redis.zadd(`${this.#keys.bull.prefix}:${this.#keys.bull.name}:marker`, 0, '0');
  }

  /** Adds the canary, before all tasks; nothing if it is there already. It is gone when a worker has taken it. */
  async addCanary(): Promise<void> {
    await this.#queue.add(
      CANARY,
      { v: JOB_VERSION, title: 'canary' },
      { jobId: CANARY, priority: 1, removeOnComplete: true, removeOnFail: true, attempts: 1 },
    );
  }

  /** How many jobs are being worked on. */
  async active(): Promise<number> {
    return await this.#queue.getActiveCount();
  }

  /** The queue for Bull Board: to look at only, since what it would do with a job knows nothing of the task's record. */
  async board(): Promise<BaseAdapter> {
    // Loaded here, since only a dashboard needs it.
    const { BullMQAdapter } = await import('@bull-board/api/bullMQAdapter');
    return new BullMQAdapter(this.#queue, { readOnlyMode: true, description: this.#keys.prefix.replace(/:$/, '') });
  }

  async close(): Promise<void> {
    await this.#queue.close();
  }
}
