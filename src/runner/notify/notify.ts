/**
 * Tells receivers outside what became of tasks. Every worker that has webhooks looks for news, one of them a second, and
 * makes messages of it; a queue of their own delivers those. Nothing here is awaited by a run, and what is not told
 * when a worker dies is told by the next.
 */

import { Postman } from '../../queue/messages.ts';
import { isMyTurn, longBlocked, noteEnds, told, toldBlocked, untold } from '../../queue/untold.ts';
import type { Services } from '../services.ts';
import { type Announcement, blockedFor, endOf } from './news.ts';
import type { Receiver } from './receivers.ts';
import { post } from './send.ts';

const LOOK_EVERY_MS = 1_000;
/** Blocked tasks are sought more seldom: they are many, and what is told of them is minutes old. */
const BLOCKED_EVERY_MS = 10_000;

/** What differs in tests. */
export interface NotifyOptions {
  readonly timeoutMs?: number;
  readonly firstPauseMs?: number;
}

type Needs = Pick<Services, 'config' | 'events' | 'queue'>;

/** Tells these receivers until the answer is called. */
export async function startNotifying(
  services: Needs,
  receivers: readonly Receiver[],
  options: NotifyOptions = {},
): Promise<() => Promise<void>> {
  if (receivers.length === 0) return async () => {};
  await noteEnds(services.queue);
  const notifier = new Notifier(services, receivers, options);
  notifier.start();
  return async () => await notifier.stop();
}

class Notifier {
  readonly #services: Needs;
  readonly #receivers: readonly Receiver[];
  readonly #postman: Postman;
  readonly #leaving = new AbortController();
  readonly #blockedEveryMs: number;
  #timer: NodeJS.Timeout | undefined;
  #unsubscribe: (() => void) | undefined;
  #looking: Promise<void> = Promise.resolve();
  #blockedAt = Number.NEGATIVE_INFINITY;

  constructor(services: Needs, receivers: readonly Receiver[], { timeoutMs, firstPauseMs }: NotifyOptions) {
    const { queue, events, config } = services;
    this.#services = services;
    this.#receivers = receivers;
    this.#blockedEveryMs = Math.min(BLOCKED_EVERY_MS, config.notifyBlockedAfterMs);
    this.#postman = new Postman({
      redis: queue.redis,
      keys: queue.keys,
      deliver: async (message) => {
        const receiver = receivers.find(({ key }) => key === message.to);
        // Another worker's, or one that the operator has taken away since.
        if (receiver === undefined) return { kind: 'failed', reason: 'this worker does not know its address' };
        const { signal } = this.#leaving;
        return await post(message, receiver, { signal, ...(timeoutMs === undefined ? {} : { timeoutMs }) });
      },
      onAttempt: ({ id, to }, attempt, { attempts, isLast }) => {
        const facts = { id, to: receivers.find(({ key }) => key === to)?.host ?? to, attempts };
        if (attempt.kind === 'delivered') events.emit({ type: 'webhook.delivered', ...facts });
        else if (isLast) events.emit({ type: 'webhook.dropped', ...facts, reason: attempt.reason });
        else events.emit({ type: 'webhook.failed', ...facts, reason: attempt.reason });
      },
      onError: (error) => events.emit({ type: 'queue.error', reason: error.message }),
      ...(firstPauseMs === undefined ? {} : { firstPauseMs }),
    });
  }

  start(): void {
    this.#unsubscribe = this.#services.events.on('task.finished', () => this.#soon(async () => await this.#tellEnds()));
    this.#timer = setInterval(() => this.#soon(async () => await this.#look()), LOOK_EVERY_MS);
  }

  /** Attempts under way are broken off; they are made again by whoever is left. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    this.#unsubscribe?.();
    await this.#looking;
    this.#leaving.abort();
    await this.#postman.stop();
  }

  /** One look after the other. While Redis is away there is nothing to tell; the next one finds out. */
  #soon(look: () => Promise<void>): void {
    this.#looking = this.#looking.then(look).catch(() => {});
  }

  async #look(): Promise<void> {
    const { queue } = this.#services;
    if (!(await isMyTurn(queue, LOOK_EVERY_MS))) return;
    // Again and again: Redis may have lost it.
    await noteEnds(queue);
    await this.#tellEnds();
    if (performance.now() - this.#blockedAt < this.#blockedEveryMs) return;
    this.#blockedAt = performance.now();
    await this.#tellBlocked();
  }

  async #tellEnds(): Promise<void> {
    const { queue, config } = this.#services;
    const ids = await untold(queue);
    const records = await queue.store.getMany(ids);
    await this.#send(records.flatMap((record) => endOf(record, config.queue) ?? []));
    await told(queue, ids);
  }

  async #tellBlocked(): Promise<void> {
    const { queue, config } = this.#services;
    if (!this.#receivers.some(({ on }) => on.includes('blocked'))) return;
    const blocked = await longBlocked(queue, config.notifyBlockedAfterMs);
    const records = new Map((await queue.store.getMany(blocked.map(({ id }) => id))).map((one) => [one.id, one]));
    for (const one of blocked) {
      const record = records.get(one.id);
      if (record === undefined) continue;
      await this.#send([blockedFor(record, one.since, config.queue)]);
      await toldBlocked(queue, one);
    }
  }

  async #send(news: readonly Announcement[]): Promise<void> {
    const messages = news.flatMap(({ kind, id, body }) =>
      this.#receivers.filter(({ on }) => on.includes(kind)).map(({ key: to }) => ({ id, to, body })),
    );
    if (messages.length > 0) await this.#postman.send(messages);
  }
}
