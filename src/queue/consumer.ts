/** A worker's side of the BullMQ queue: takes jobs, and parks, postpones or ends them as their task demands. */

import { DelayedError, type Job, UnrecoverableError, Worker } from 'bullmq';
import type { Connection } from '../redis/connect.ts';
import type { Keys } from '../redis/keys.ts';
import { type BullQueue, CANARY } from './bull.ts';
import { bullTracing } from './tracing.ts';

/**
 * How long a parked job sleeps if nobody wakes it: a dead man's switch. It should never fire; each firing is counted
 * and reported, and the task asks for its claim again then.
 */
export const DEAD_MAN_MS = 60 * 60_000;

/** How many ended jobs BullMQ keeps for Bull Board; the records of tasks are kept by `store.ts`. */
const KEPT_JOBS = 200;

/** When a job is tried again whose worker could not write what became of it. */
const COME_BACK_MS = 1_000;

/** What is to become of a job that was taken. */
export type Disposition =
  /** Its task has ended; with an error it shows as failed. */
  | { readonly kind: 'ended'; readonly error?: string }
  /** Its task waits in line: the script that filed it has parked the job. */
  | { readonly kind: 'parked' }
  /** Its task is to be tried again at `atMs` (epoch). */
  | { readonly kind: 'later'; readonly atMs: number };

/** A job that this worker has; anybody who can write to Redis may have made it. */
export interface TakenJob {
  /** The id of its task. */
  readonly id: string;
  readonly data: unknown;
  /** Of the worker's lock on the job. */
  readonly token: string;
}

/** How a consumer is set up. Times in ms. */
export interface ConsumerOptions {
  /** Duplicated for BullMQ, which blocks on its connection. */
  readonly redis: Connection;
  readonly keys: Keys;
  readonly bull: BullQueue;
  readonly concurrency: number;
  readonly lockDurationMs: number;
  readonly stalledIntervalMs: number;
  /** Runs a task. Never rejects for a reason of the task's own. */
  readonly take: (job: TakenJob) => Promise<Disposition>;
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
      removeOnComplete: { count: KEPT_JOBS },
      removeOnFail: { count: KEPT_JOBS },
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

  /** A task's own attempts are counted in its record; what should not happen must not take its job away. */
  async #take({ id = '', data }: Job, token: string): Promise<Disposition> {
    try {
      return await this.#options.take({ id, data, token });
    } catch (error) {
      this.#options.onError(error instanceof Error ? error : new Error(String(error)));
      return { kind: 'later', atMs: Date.now() + COME_BACK_MS };
    }
  }

  async #process(job: Job, token = ''): Promise<null> {
    if (job.name === CANARY) return null;
    const disposition = await this.#take(job, token);
    switch (disposition.kind) {
      case 'ended':
        if (disposition.error !== undefined) throw new UnrecoverableError(disposition.error.slice(0, 500));
        return null;
      case 'later':
        await job.moveToDelayed(disposition.atMs, token);
        throw new DelayedError();
      case 'parked':
        throw new DelayedError();
    }
  }
}
