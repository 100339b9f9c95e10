/**
 * Messages to receivers outside, in a BullMQ queue of their own: kept until they are delivered or given up, whichever
 * worker lives. Several workers may send the same message; its id makes one of it for as long as it is kept.
 */

import { type Job, Queue, UnrecoverableError, Worker } from 'bullmq';
import type { Connection } from '../redis/connect.ts';
import type { Keys } from '../redis/keys.ts';

/** A message to one receiver. */
export interface Message {
  /** What a receiver tells repetitions by; the same for all receivers. */
  readonly id: string;
  /** Which receiver, by a name that tells nothing: addresses may be secret and stay out of Redis. */
  readonly to: string;
  readonly body: string;
}

/** What became of an attempt; `refused`: it makes no sense to try again. */
export type Attempt = { readonly kind: 'delivered' } | { readonly kind: 'failed' | 'refused'; readonly reason: string };

/** What a postman needs. */
export interface PostmanOptions {
  readonly redis: Connection;
  readonly keys: Keys;
  /** Makes one attempt. Never rejects. */
  readonly deliver: (message: Message, attempts: number) => Promise<Attempt>;
  /** Told of each attempt, and whether it was the last. */
  readonly onAttempt: (message: Message, attempt: Attempt, facts: { attempts: number; isLast: boolean }) => void;
  /** Called with errors that BullMQ reports, such as a lost connection. */
  readonly onError: (error: Error) => void;
  /** The pause after the first failed attempt, in ms; it doubles. Default 5 s. */
  readonly firstPauseMs?: number;
}

const NAME = 'webhooks';
/** With pauses of 5 s, doubling: a receiver may be away for almost three hours. */
const MAX_ATTEMPTS = 12;
const FIRST_PAUSE_MS = 5_000;
/** How many deliveries one worker has under way: receivers that hang hold up no more than that. */
const CONCURRENCY = 4;
/** Longer than an attempt may take. */
const LOCK_MS = 30_000;
/** How long delivered and dropped messages are remembered, so that they are not sent anew. */
const KEPT = { age: 7 * 86_400, count: 1_000 };

/** Sends and delivers messages until it is stopped. */
export class Postman {
  readonly #options: PostmanOptions;
  readonly #queue: Queue<Message>;
  readonly #worker: Worker<Message>;

  constructor(options: PostmanOptions) {
    this.#options = options;
    const { redis, keys, onError } = options;
    const shared = { connection: redis, prefix: keys.bull.prefix };
    this.#queue = new Queue(NAME, shared);
    this.#queue.on('error', () => {});
    this.#worker = new Worker(NAME, async (job: Job<Message>) => await this.#attempt(job), {
      ...shared,
      concurrency: CONCURRENCY,
      lockDuration: LOCK_MS,
      // A worker that died in an attempt is no fault of the message.
      maxStalledCount: Number.MAX_SAFE_INTEGER,
    });
    this.#worker.on('error', onError);
  }

  /** Accepts messages; one that is kept already is not accepted again. */
  async send(messages: readonly Message[]): Promise<void> {
    await this.#queue.addBulk(
      messages.map((message) => ({
        name: 'message',
        data: message,
        opts: {
          jobId: `${message.id}.${message.to}`,
          attempts: MAX_ATTEMPTS,
          backoff: { type: 'exponential', delay: this.#options.firstPauseMs ?? FIRST_PAUSE_MS, jitter: 0.25 },
          removeOnComplete: KEPT,
          removeOnFail: KEPT,
        },
      })),
    );
  }

  /** Takes no more, and waits for the attempts under way. */
  async stop(): Promise<void> {
    await this.#worker.close();
    await this.#queue.close();
  }

  async #attempt(job: Job<Message>): Promise<null> {
    const { deliver, onAttempt } = this.#options;
    const attempts = job.attemptsMade + 1;
    const attempt = await deliver(job.data, attempts);
    const isLast = attempt.kind === 'refused' || attempts >= (job.opts.attempts ?? 1);
    onAttempt(job.data, attempt, { attempts, isLast });
    if (attempt.kind === 'delivered') return null;
    throw isLast ? new UnrecoverableError(attempt.reason) : new Error(attempt.reason);
  }
}

/** How many messages are not delivered yet. */
export async function countWaitingMessages({
  redis,
  keys,
}: {
  readonly redis: Connection;
  readonly keys: Keys;
}): Promise<number> {
  const key = (list: string): string => `${keys.bull.prefix}:${NAME}:${list}`;
  const replies = await redis.pipeline().llen(key('wait')).llen(key('active')).zcard(key('delayed')).exec();
  return (replies ?? []).reduce((sum, [, count]) => sum + Number(count ?? 0), 0);
}
