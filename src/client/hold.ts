/**
 * Takes claims around a function: the scoped form of what a task does.
 *
 * A holder has no job in the queue. While it waits it keeps a heartbeat (`waiter:<id>`), so that a dead one's ticket is
 * taken away, and listens on the `wake` channel. It subscribes before it asks, and each heartbeat looks at its ticket
 * as well, so that a message lost with a connection costs one heartbeat and not the wait.
 */

import { hostname } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { ulid } from 'ulid';
import type { Acquired } from '../claims/answers.ts';
import { Claim, processClock } from '../claims/claim.ts';
import { type ClaimNode, resourceOf } from '../claims/claim-set.ts';
import type { Timings } from '../config/timings.ts';
import { SignalboxError } from '../errors.ts';
import type { TaskQueue } from '../queue/task-queue.ts';
import { rethrow } from '../redis/refusal.ts';
import { subscribe } from '../redis/subscribe.ts';
import { Reaper } from '../runner/reaper.ts';
import { createEvents } from '../telemetry/events.ts';
import { classOf } from '../waiting/rank.ts';
import { growHeld } from './hold-growth.ts';
import { conflict, type Obstacle, obstacleOf } from './obstacle.ts';

/** What to hold, and how. */
export interface HoldRequest {
  readonly nodes: readonly ClaimNode[];
  readonly options: HoldOptions;
}

/** How to wait, and what to be told. */
export interface HoldOptions {
  /** False: throw CONFLICT instead of waiting. */
  readonly wait?: boolean | undefined;
  /** Throw CONFLICT after waiting for so many ms. */
  readonly waitTimeoutMs?: number | undefined;
  /** Ends the waiting: `hold` rejects with its reason. Not looked at any more once the function is called. */
  readonly signal?: AbortSignal | undefined;
  /** Called once if it must wait. */
  readonly onBlocked?: ((obstacle: Obstacle) => void) | undefined;
  /** Who holds it, in a few words, listed beside the process: `claude session 3f2a`. */
  readonly label?: string | undefined;
  /** Called after each renewal with the ms until the function must have ended. */
  readonly onRenewed?: ((leftMs: number) => void) | undefined;
}

/** What the function gets. */
export interface HoldContext {
  /** Aborted when the claim is lost. */
  readonly signal: AbortSignal;
  /** The id under which the claim is listed. */
  readonly holder: string;
  /** The numbers of its slots, from 1, by resource. */
  readonly slots: Readonly<Record<string, number>>;
  /** The ms until the function must have ended if nothing is renewed any more. */
  readonly leftMs: () => number;
}

/** What a function of this package gets as well. */
export interface GrowingContext extends HoldContext {
  /**
   * Takes more branch and path nodes, at once or not at all: a holder cannot be restarted, so it never waits while it
   * holds. Throws CONFLICT, or LEASE_LOST.
   */
  readonly grow: (more: readonly ClaimNode[]) => Promise<void>;
}

/**
 * Calls `fn` while the claim is held; answers what it answers. Throws CONFLICT if it may not wait, and LEASE_LOST,
 * after `fn` has ended, if the claim was lost meanwhile: others may have worked on the same things.
 */
export async function hold<T>(
  { queue, timings }: { readonly queue: TaskQueue; readonly timings: Timings },
  request: HoldRequest,
  fn: (context: GrowingContext) => T | Promise<T>,
): Promise<T> {
  const holder = `h-${ulid().toLowerCase()}`;
  await checkResources(queue, request.nodes);
  await using _reaper = reaperOf(queue, timings);
  const { claim, slots } = await acquire(queue, timings, { ...request, holder });
  try {
    request.options.signal?.throwIfAborted();
    claim.onRenewed = request.options.onRenewed;
    const grow = growHeld({ queue, timings, claim, nodes: request.nodes });
    const result = await fn({ signal: claim.signal, holder, slots, leftMs: () => claim.leftMs, grow });
    // Asked of the clock: after this process was stopped, no timer may have told yet.
    if (!claim.isHeld) claim.signal.throwIfAborted();
    return result;
  } finally {
    await claim.release().catch(() => []);
  }
}

/** There may be no worker to clear dead holders, so whoever holds or waits does. */
function reaperOf(queue: TaskQueue, timings: Timings): AsyncDisposable {
  const reaper = new Reaper({ queue, timings, clock: processClock, events: createEvents() });
  reaper.start();
  return { [Symbol.asyncDispose]: async () => await reaper.stop() };
}

type HolderRequest = HoldRequest & { readonly holder: string };

async function acquire(queue: TaskQueue, timings: Timings, request: HolderRequest): Promise<Held> {
  if (request.options.wait ?? true) return await acquireInLine(queue, timings, request);
  const answer = await ask(queue, timings, request);
  if ('claim' in answer) return answer;
  throw conflict(await obstacleTo(queue, request, answer));
}

async function acquireInLine(queue: TaskQueue, timings: Timings, request: HolderRequest): Promise<Held> {
  const { waitTimeoutMs, signal, onBlocked } = request.options;
  const turn = await waitInLine(queue, timings, request.holder);
  const timeout = waitTimeoutMs === undefined ? undefined : AbortSignal.timeout(waitTimeoutMs);
  const giveUp = AbortSignal.any([signal, timeout].filter((one) => one !== undefined));
  let obstacle: Obstacle | undefined;
  try {
    for (;;) {
      signal?.throwIfAborted();
      const answer = await ask(queue, timings, request);
      if ('claim' in answer) return answer;
      if (obstacle === undefined) {
        obstacle = await obstacleTo(queue, request, answer);
        onBlocked?.(obstacle);
      }
      // It is in no line then: what the lock servers wait for ends within a lease.
      await (answer.kind === 'unconfirmed' ? pause(timings.renewEveryMs, giveUp) : turn.next(giveUp));
    }
  } catch (error) {
    await queue.line.leave(request.holder).catch(() => []);
    throw error === timeout?.reason && obstacle !== undefined ? conflict(obstacle, waitTimeoutMs) : error;
  } finally {
    await turn.stop();
  }
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await delay(ms, undefined, { signal }).catch(() => signal.throwIfAborted());
}

/** Asks once. */
async function ask(queue: TaskQueue, timings: Timings, request: HolderRequest): Promise<Held | Answer> {
  const { holder, nodes, options } = request;
  const { wait = true } = options;
  const sentAt = processClock();
  const acquired = await queue.locker.acquire({
    holder,
    kind: 'hold',
    ticket: holder,
    worker: `${hostname()}:${process.pid}${options.label === undefined ? '' : ` ${options.label}`}`,
    class: classOf('normal'),
    nodes,
    policy: wait ? 'wait' : 'fail',
    // Counted things are waited for whatever the policy.
    isLastTry: !wait,
  });
  if (acquired.kind === 'unknown') throw acquired.error;
  if (acquired.kind !== 'held') return acquired;
  const { lock, slots } = acquired;
  return { claim: new Claim({ locker: queue.locker, lock, timings, sentAt, clock: processClock }), slots };
}

interface Held {
  readonly claim: Claim;
  readonly slots: Readonly<Record<string, number>>;
}

type Answer = Exclude<Acquired, { kind: 'held' }>;

/** A resource that nobody has given a capacity would be waited for without end. */
async function checkResources(queue: TaskQueue, nodes: readonly ClaimNode[]): Promise<void> {
  const counted = nodes.filter(({ mode }) => mode === 'slot');
  if (counted.length === 0) return;
  const limits = await queue.line.limits();
  const unknown = counted.findIndex((node) => limits[resourceOf(node)] === undefined);
  if (unknown < 0) return;
  const { shown } = counted[unknown] as ClaimNode;
  throw new SignalboxError('INVALID', `There is no resource ${JSON.stringify(shown)} in this queue.`, {
    field: `resources[${unknown}]`,
    next: `Say how many may use it at once: signalbox limits set resource:${shown} 1`,
  });
}

async function obstacleTo(queue: TaskQueue, { nodes }: HoldRequest, answer: Answer): Promise<Obstacle> {
  if (answer.kind === 'unconfirmed') return { resource: `the claim (${answer.reason})`, holder: '', since: null };
  return await obstacleOf(
    queue,
    nodes,
    'obstacle' in answer ? { name: answer.obstacle, blocker: answer.blocker } : { name: undefined },
  );
}

interface Turn {
  /** Resolves when it is worth asking again: a grant, or a ticket that is gone. */
  next(signal: AbortSignal): Promise<void>;
  stop(): Promise<void>;
}

/** Keeps a place in line: heartbeat and wake channel. */
async function waitInLine(queue: TaskQueue, timings: Timings, ticket: string): Promise<Turn> {
  const { redis, keys } = queue;
  const heartbeat = keys.key('waiter', ticket);
  let wake: () => void = () => {};
  const beat = async (): Promise<void> => {
    await redis.set(heartbeat, '1', 'PX', timings.leaseTtlMs);
    if ((await queue.line.look(ticket)) !== 'waiting') wake();
  };
  const onMessage = (_channel: string, woken: string): void => {
    if (woken === ticket) wake();
  };
  const stopListening = await subscribe(redis, [keys.channel('wake')], { onMessage }).catch(rethrow);
  await redis.set(heartbeat, '1', 'PX', timings.leaseTtlMs).catch((error: unknown) => {
    stopListening();
    return rethrow(error);
  });
  // A beat that fails is made good by the next one.
  const timer = setInterval(() => void beat().catch(() => {}), timings.renewEveryMs);
  return {
    next: async (signal) => {
      await new Promise<void>((resolve, reject) => {
        wake = resolve;
        const giveUp = (): void => reject(signal.reason as Error);
        if (signal.aborted) giveUp();
        signal.addEventListener('abort', giveUp, { once: true });
        // It may have been served between the answer and this line.
        void queue.line.look(ticket).then((state) => state !== 'waiting' && resolve(), reject);
      });
    },
    stop: async () => {
      clearInterval(timer);
      stopListening();
      await redis.del(heartbeat).catch(() => 0);
    },
  };
}
