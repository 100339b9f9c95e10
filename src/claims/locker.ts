/**
 * Takes, renews and gives back claims through `redlock`. The only file that knows redlock.
 *
 * redlock counts votes and makes lock values; our scripts decide. Three of its habits are worked around here, each met
 * in practice: it passes scripts only a value and a TTL, so the client below appends the request and keeps the rest of
 * the script's answer; after a refusal it runs the release script with the same keys, which is answered here without
 * asking Redis, since a refused claim holds nothing; and it judges a lock's age by the wall clock, which can step, so
 * locks are handed to it as never expiring and `claim.ts` keeps the deadline.
 */

import Redlock, { ExecutionError, Lock } from 'redlock';
import { SignalboxError } from '../errors.ts';
import type { Connection } from '../redis/connect.ts';
import type { Keys } from '../redis/keys.ts';
import { readForbidden } from '../redis/refusal.ts';
import { readScript, Script } from '../redis/scripts.ts';
import { type Acquired, type Grant, type Grown, readAcquired, readGrants, readGrown, readOverdue } from './answers.ts';
import type { ClaimNode } from './claim-set.ts';
import type { LockServers } from './lock-servers.ts';
import { writeNodes } from './node-list.ts';
import { type Reply, RequestClient } from './request-client.ts';
import type { RunRequest } from './run-request.ts';
import type { OverdueLeases } from './silence.ts';

/** Who wants what, and what to do if it cannot be had. */
export interface ClaimRequest {
  /** The runner (or the id of a `hold`) in whose name the entries are written. */
  readonly holder: string;
  readonly kind: 'run' | 'hold';
  /** The place in line: a task's id, or the holder's for a `hold`. */
  readonly ticket: string;
  /** For a run: the task. The request counts as a pick-up of it, which makes every earlier one stale. */
  readonly task?: string;
  readonly worker: string;
  /** For a run: when the task was submitted, as a sequence number. The older of two growing claims is served first. */
  readonly age?: number;
  /** Lower is earlier, see `waiting/rank.ts`; without it, now. */
  readonly rank?: number;
  /** The priority's class: 0 is the highest. */
  readonly class: number;
  readonly policy: ConflictPolicy;
  /** A conflict is refused whatever the policy: it has waited long enough. */
  readonly isLastTry?: boolean;
  /** Branches whose paths, kept for a merge, are not in its way, its own first; before them what makes nodes of their names. */
  readonly exempt?: readonly string[];
  readonly nodes: readonly ClaimNode[];
  /** For a run whose task's record is to say what came of it, and whose job is to be parked if it must wait. */
  readonly run?: RunRequest;
}

/** What a claim does when something it wants is held. */
export type ConflictPolicy = 'wait' | 'fail' | 'skip' | 'proceed' | 'supersede' | 'preempt';

/** More that a held claim is to have. */
export interface GrowthRequest {
  /** All branch and path nodes that it will hold. */
  readonly nodes: readonly ClaimNode[];
  /** Whether it may wait for younger holders; what cannot be restarted may not. */
  readonly mayWait: boolean;
  /** It takes base's branch, and nothing after it. */
  readonly isLanding: boolean;
}

/** Proof of a claim, good for `renew` and `release`. */
export interface HeldLock {
  readonly holder: string;
  readonly resources: readonly string[];
  readonly value: string;
}

/** How a renewal went. `unknown`: Redis did not answer, so the holder's own deadline decides. */
export type Renewal = 'renewed' | 'lost' | 'unknown';

/** How the locker is set up. */
export interface LockerOptions {
  readonly redis: Connection;
  readonly keys: Keys;
  readonly leaseTtlMs: number;
  /** How long a ticket may be passed by others before its nodes are kept for it. */
  readonly keepAfterMs: number;
  /** Who confirms claims beside `redis`; without them nobody. */
  readonly servers?: LockServers | undefined;
}

const file = (name: string): URL => new URL(name, import.meta.url);
const REAP = new Script(file('./reap.lua'));
const OVERDUE = new Script(file('./overdue.lua'));
const GROW = new Script(file('./grow.lua'));
const RELEASE = new Script(file('./release.lua'));
const KEEP = new Script(file('./keep.lua'));
const UNKEEP = new Script(file('./unkeep.lua'));
const REKEEP = new Script(file('./rekeep.lua'));
const NEVER = Number.MAX_SAFE_INTEGER;

/** The owner of all lock entries of a queue. */
export class Locker {
  readonly #options: LockerOptions;
  readonly #client: RequestClient;
  readonly #redlock: Redlock;

  constructor(options: LockerOptions) {
    this.#options = options;
    this.#client = new RequestClient(options.redis, options);
    this.#redlock = new Redlock(
      [this.#client],
      { retryCount: 0 },
      {
        acquireScript: () => readScript(file('./acquire.lua')),
        extendScript: () => readScript(file('./extend.lua')),
        releaseScript: () => readScript(file('./release.lua')),
      },
    );
  }

  /** Asks for a claim, all or nothing: the queue's Redis first, then, if it was admitted there, the lock servers. */
  async acquire(request: ClaimRequest): Promise<Acquired> {
    const acquired = await this.#admit(request);
    const { servers } = this.#options;
    if (acquired.kind !== 'held' || servers === undefined) return acquired;
    const { holder, nodes, policy } = request;
    const reason = await servers.enter(holder, { nodes, isBeside: policy === 'proceed' });
    if (reason === undefined) return acquired;
    const given = await this.#giveBack(acquired.lock);
    return { kind: 'unconfirmed', pickup: acquired.pickup, reason, grants: [...acquired.grants, ...given] };
  }

  async #admit(request: ClaimRequest): Promise<Acquired> {
    const { keys, leaseTtlMs, keepAfterMs } = this.#options;
    const resources = [keys.key('record', request.holder), ...request.nodes.map(({ name }) => keys.key('node', name))];
    const { nodes, ...rest } = request;
    const args = [writeNodes(nodes), JSON.stringify({ ...rest, keepAfterMs })];
    const call = this.#client.expect(resources[0] ?? '', { kind: 'acquire', args });
    try {
      const lock = await this.#redlock.acquire(resources, leaseTtlMs);
      return readAcquired(call.reply, { holder: request.holder, resources, value: lock.value });
    } catch (error) {
      if (call.reply !== undefined) return readAcquired(call.reply);
      return { kind: 'unknown', error: await whyRefused(error), grants: readGrants(call.cleanUp?.slice(1)) };
    } finally {
      this.#client.forget(resources[0] ?? '');
    }
  }

  /** Renews a lease for another TTL, also on a quorum of the lock servers. */
  async renew(lock: HeldLock): Promise<Renewal> {
    const [renewal, reason] = await Promise.all([this.#renewLease(lock), this.#options.servers?.renew(lock.holder)]);
    return renewal === 'renewed' && reason !== undefined ? 'unknown' : renewal;
  }

  async #renewLease(lock: HeldLock): Promise<Renewal> {
    try {
      await this.#redlock.extend(this.#asRedlock(lock), this.#options.leaseTtlMs);
      return 'renewed';
    } catch (error) {
      return (await votes(error)).some((vote) => vote.name === 'ResourceLockedError') ? 'lost' : 'unknown';
    }
  }

  /** Gives a claim back. Returns who was served, or undefined if this lock held nothing any more. */
  async release(lock: HeldLock): Promise<readonly Grant[] | undefined> {
    const [count, ...rest] = await this.#release(lock);
    return count === 0 ? undefined : readGrants(rest);
  }

  /**
   * Gives a claim back and ends its task in the same step; `ending` is what `finish.lua` takes. Returns what that answers,
   * also if this lock held nothing any more. Throws REDIS_UNREACHABLE; may be called again then.
   */
  async end(lock: HeldLock, ending: object): Promise<Reply> {
    const { keepAfterMs } = this.#options;
    const reply = await this.#release(lock, JSON.stringify({ keepAfterMs, ending }));
    return reply.slice(1);
  }

  async #release(lock: HeldLock, argument?: string): Promise<Reply> {
    // First: whoever is served by the queue's Redis asks the lock servers next.
    await this.#options.servers?.leave(lock.holder);
    const call = this.#client.expect(lock.resources[0] ?? '', {
      kind: 'release',
      ...(argument && { args: [argument] }),
    });
    try {
      await this.#redlock.release(this.#asRedlock(lock));
      return call.reply ?? [];
    } catch (error) {
      if (call.reply !== undefined) return call.reply;
      throw await whyRefused(error);
    } finally {
      this.#client.forget(lock.resources[0] ?? '');
    }
  }

  /** Holders whose leases have less than `leftMs` left, or are gone: now, or at somebody else's look since `sharedMs`. */
  async overdue(leftMs: number, sharedMs: number): Promise<OverdueLeases> {
    const { redis, keys } = this.#options;
    const lists = [keys.all('holders'), keys.all('overdue')];
    return readOverdue((await OVERDUE.run(redis, lists, [leftMs, sharedMs])) as (string | number)[]);
  }

  /** Frees a dead holder's claim. Returns who was served, or undefined if it lives or is gone. See `reaper.ts`. */
  async reap(holder: string, value: string): Promise<readonly Grant[] | undefined> {
    const { redis, keys, keepAfterMs } = this.#options;
    const reply = (await REAP.run(redis, [keys.key('record', holder)], [value, keepAfterMs])) as (number | string)[];
    return reply[0] === 1 ? readGrants(reply.slice(1)) : undefined;
  }

  /**
   * Asks for more, or, while a growth waits, whether it may be used now. Not through redlock, which cannot widen a
   * lock; the widened claim is renewed and released through it as before. What the queue's Redis has given counts once
   * the lock servers agree (`confirmGrowth`). Throws REDIS_UNREACHABLE.
   */
  async grow(lock: HeldLock, request: GrowthRequest): Promise<Grown> {
    const { redis, keys, keepAfterMs } = this.#options;
    const body = JSON.stringify({ ...request, nodes: writeNodes(request.nodes), keepAfterMs });
    const key = keys.key('record', lock.holder);
    return readGrown((await GROW.run(redis, [key], [lock.value, body])) as string[]);
  }

  /** Asks the lock servers for what a growth has got; answers why not if they do not agree. */
  async confirmGrowth(lock: HeldLock, { nodes }: GrowthRequest): Promise<string | undefined> {
    return await this.#options.servers?.renew(lock.holder, nodes);
  }

  /**
   * Ends a run's claim but keeps its paths until `unkeep`, on the queue's Redis alone: nobody renews them; `merge` is noted with them. Returns who was served, or
   * undefined if nothing was held.
   */
  async keep(lock: HeldLock, merge: string): Promise<readonly Grant[] | undefined> {
    await this.#options.servers?.leave(lock.holder);
    const { redis, keys, keepAfterMs } = this.#options;
    const key = keys.key('record', lock.holder);
    const reply = (await KEEP.run(redis, [key], [lock.value, keepAfterMs, merge])) as (string | number)[];
    return reply[0] === 1 ? readGrants(reply.slice(1)) : undefined;
  }

  /** Frees what a holder keeps for a merge. Returns who was served, or undefined if there is no such holder. */
  async unkeep(holder: string): Promise<readonly Grant[] | undefined> {
    const { redis, keys, keepAfterMs } = this.#options;
    const reply = (await UNKEEP.run(redis, [keys.key('record', holder)], [keepAfterMs])) as (string | number)[];
    return reply[0] === 1 ? readGrants(reply.slice(1)) : undefined;
  }

  /** Puts back what a holder kept for a merge in a Redis that was lost; false if it is there. */
  async rekeep(holder: string, fields: Readonly<Record<string, string>>): Promise<boolean> {
    const { redis, keys } = this.#options;
    return (await REKEEP.run(redis, [keys.key('record', holder)], [JSON.stringify(fields)])) === 1;
  }

  /** The lock of a holder that has grown, good for its next renewal. */
  widened(lock: HeldLock, names: readonly string[]): HeldLock {
    const nodes = names.map((name) => this.#options.keys.key('node', name));
    return { ...lock, resources: [...new Set([...lock.resources, ...nodes])] };
  }

  /** Gives back what was admitted and never used. Should Redis not answer now, the reaper frees it. */
  async #giveBack(lock: HeldLock): Promise<readonly Grant[]> {
    const { redis, keepAfterMs } = this.#options;
    const settings = JSON.stringify({ keepAfterMs, isUnused: true });
    const reply = await RELEASE.run(redis, lock.resources, [lock.value, settings]).catch(() => []);
    return readGrants((reply as (string | number)[]).slice(1));
  }

  /** Closes the connections to the lock servers; that to the queue's Redis stays the caller's. */
  close(): void {
    this.#options.servers?.close();
  }

  #asRedlock(lock: HeldLock): Lock {
    return new Lock(this.#redlock, [...lock.resources], lock.value, [], NEVER);
  }
}

async function votes(error: unknown): Promise<Error[]> {
  if (!(error instanceof ExecutionError)) return [];
  const attempts = await Promise.all(error.attempts);
  return attempts.flatMap(({ votesAgainst }) => [...votesAgainst.values()]);
}

async function whyRefused(error: unknown): Promise<SignalboxError> {
  const [cause] = await votes(error);
  const forbidden = readForbidden(cause ?? error);
  if (forbidden !== undefined) return forbidden;
  return new SignalboxError(
    'REDIS_UNREACHABLE',
    `The claim could not be asked for: ${(cause ?? (error as Error)).message}`,
    {
      next: 'Check that Redis answers and is not out of memory (`signalbox doctor`); workers go on by themselves.',
      cause: cause ?? error,
    },
  );
}
