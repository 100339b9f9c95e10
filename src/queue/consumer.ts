/** A worker's side of the BullMQ queue: takes jobs, and parks, postpones or ends them as their task demands. */

import { DelayedError, type Job, UnrecoverableError, Worker } from 'bullmq';
import type { Connection } from '../redis/connect.ts';
import type { Keys } from '../redis/keys.ts';
import type { Line } from '../waiting/line.ts';
import { type BullQueue, CANARY } from './bull.ts';
import { bullTracing } from './tracing.ts';

/**
 * How long a parked job sleeps if nobody wakes it: a dead man's switch. It should never fire; each firing is counted
 * and reported, and the task asks for its claim again then.
 */
export const DEAD_MAN_MS = 60 * 60_000;

/** What is to become of a job that was taken. */
export type Disposition =
  /** Its task has ended; with an error it shows as failed. */
  | { readonly kind: 'ended'; readonly error?: string }
  /** Its task waits in line, at the most until `untilMs` (epoch). */
  | { readonly kind: 'parked'; readonly untilMs: number }
  /** Its task is to be tried again at `atMs` (epoch). */
  | { readonly kind: 'later'; readonly atMs: number };

/** How a consumer is set up. Times in ms. */
export interface ConsumerOptions {
  /** Duplicated for BullMQ, which blocks on its connection. */
  readonly redis: Connection;
  readonly keys: Keys;
  readonly line: Line;
  readonly bull: BullQueue;
  readonly concurrency: number;
  readonly lockDurationMs: number;
  readonly stalledIntervalMs: number;
  /** Runs a task. Never rejects for a reason of the task's own. */
  readonly take: (taskId: string, data: unknown) => Promise<Disposition>;
  /** Called with errors that BullMQ reports, such as a lost connection or job lock. */
  readonly onError: (error: Error) => void;
}

/** Takes jobs until it is stopped. */
export class Consumer {
  readonly #options: ConsumerOptions;
  readonly #worker: Worker;

  constructor(options: ConsumerOptions) {
    this.#options = options;
    this.#worker = new Worker(options.keys.bull.name, async (job, token) => await this.#process(job, token), {
      connection: options.redis,
      prefix: options.keys.bull.prefix,
      ...bullTracing(),
      concurrency: options.concurrency,
      lockDuration: options.lockDurationMs,
      stalledInterval: options.stalledIntervalMs,
      // Crashes are counted per task in its record; BullMQ would fail a job at its second stall.
      maxStalledCount: Number.MAX_SAFE_INTEGER,
      autorun: false,
    });
    this.#worker.on('error', options.onError);
  }

  /** Begins to take jobs; resolves when Redis answers. */
  async start(): Promise<void> {
    await this.#worker.waitUntilReady();
    this.#worker
      .run()
      .catch((error: unknown) => this.#options.onError(error instanceof Error ? error : new Error(String(error))));
  }

  /** Takes no more jobs and waits for those taken. */
  async stop(): Promise<void> {
    await this.#worker.close();
    // The slots that this worker leaves are news to the others only if somebody says so.
    await this.#options.bull.poke().catch(() => {});
  }

  async #process(job: Job, token: string | undefined): Promise<null> {
    if (job.name === CANARY) return null;
    const id = job.id ?? '';
    const disposition = await this.#options.take(id, job.data);
    switch (disposition.kind) {
      case 'ended':
        if (disposition.error !== undefined) throw new UnrecoverableError(disposition.error.slice(0, 500));
        return null;
      case 'later':
        await job.moveToDelayed(disposition.atMs, token);
        throw new DelayedError();
      case 'parked':
        await job.moveToDelayed(disposition.untilMs, token);
        await this.#lookAgain(id);
        throw new DelayedError();
    }
  }

  /**
   * A grant or a cancel may have come before the job was parked, when it could not be promoted; and if there is no
   * ticket, nobody will ever wake this job. It must not sleep then.
   */
  async #lookAgain(id: string): Promise<void> {
    const { line, bull, redis, keys } = this.#options;
    const [ticket, [state, cancel]] = await Promise.all([
      line.look(id),
      redis.hmget(keys.key('task', id), 'state', 'cancelRequested'),
    ]);
    // Behind its own run, which is told of the cancel, it is `running`.
    const isCancelled = typeof cancel === 'string' && state !== 'running';
    if (ticket !== 'waiting' || isCancelled) await bull.promote(id);
  }
}
