/**
 * A claim while it is held: renewed, watched, given back.
 *
 * It starts held. Each good renewal moves the deadline to (when the renewal was *sent*) + TTL − margin. It ends once,
 * as released (by its owner) or as lost: Redis said that the lease, the record or an entry is gone, or the deadline
 * passed without a good renewal, whether Redis answers or not. Loss aborts `signal`; what the owner does must stop
 * then, and the entries stay until the reaper frees them, which it does only after a live holder has stopped itself.
 *
 * Renewal runs on the main loop on purpose: a process that hangs loses its claims.
 */

import { SignalboxError } from '../errors.ts';
import { type Grant, type Grown, LOCK_SERVERS } from './answers.ts';
import { type Clock, leaseClock } from './clock.ts';
import type { GrowthRequest, HeldLock, Locker } from './locker.ts';
import type { Reply } from './request-client.ts';

/** The times of a lease, all in ms, derived from its TTL in `config/timings.ts`. */
export interface LeaseTimings {
  readonly leaseTtlMs: number;
  readonly renewEveryMs: number;
  readonly marginMs: number;
}

/** What a claim needs to live. */
export interface ClaimOptions {
  readonly locker: Locker;
  readonly lock: HeldLock;
  readonly timings: LeaseTimings;
  /** When the acquire was sent, on `clock`. */
  readonly sentAt: number;
  readonly clock: Clock;
}

/** A held claim. Aborts `signal` with a LEASE_LOST error when it is lost. */
export class Claim {
  readonly #options: ClaimOptions;
  /** Called after each good renewal with the ms that are left until the new deadline. */
  onRenewed: ((leftMs: number) => void) | undefined;
  /** Called when Redis did not take a renewal, with the ms that are left to try again. */
  onRenewalFailed: ((leftMs: number) => void) | undefined;
  readonly #lost = new AbortController();
  #lock: HeldLock;
  #deadline: number;
  #ended = false;
  #renewTimer: NodeJS.Timeout | undefined;
  #deadlineTimer: NodeJS.Timeout | undefined;

  constructor(options: ClaimOptions) {
    this.#options = options;
    this.#lock = options.lock;
    this.#deadline = options.sentAt + options.timings.leaseTtlMs - options.timings.marginMs;
    this.#watch();
    this.#renewLater();
  }

  /** Aborted when the claim is lost. */
  get signal(): AbortSignal {
    return this.#lost.signal;
  }

  /** Milliseconds until the holder must have stopped; never negative. */
  get leftMs(): number {
    return Math.max(0, this.#deadline - this.#options.clock());
  }

  /**
   * Whether it is held by the holder's own clock. A process that was stopped asks this before it acts: past the
   * deadline the claim is lost at once, though no timer has told yet.
   */
  get isHeld(): boolean {
    if (this.leftMs === 0) this.#lose('its deadline passed without a good renewal');
    return !this.#ended;
  }

  /** Gives the claim back. Returns who was served. Harmless when it was released or lost before. */
  async release(): Promise<readonly Grant[]> {
    if (this.#ended && !this.#lost.signal.aborted) return [];
    this.#end();
    return (await this.#options.locker.release(this.#lock)) ?? [];
  }

  /** Gives the claim back and ends its task in the same step, see `Locker.end`. May be called again if it throws. */
  async endTask(ending: object): Promise<Reply> {
    this.#end();
    return await this.#options.locker.end(this.#lock, ending);
  }

  /** Asks for more, or whether what a growth waits for may be used now; see `grow.lua`. */
  async grow(request: GrowthRequest): Promise<Grown> {
    const grown = await this.#options.locker.grow(this.#lock, request);
    if (grown.kind === 'lost') this.#lose('Redis no longer has its record');
    if (grown.kind !== 'grown') return grown;
    this.#lock = this.#options.locker.widened(this.#lock, grown.names);
    const reason = await this.#options.locker.confirmGrowth(this.#lock, request);
    if (reason === undefined) return grown;
    // It stays entered on the queue's Redis, so that nobody else gets it, and is asked for again like one that waits.
    return { kind: 'waiting', obstacle: LOCK_SERVERS, blocker: '', grants: grown.grants };
  }

  /** Ends the claim but keeps its paths until its branch is merged; `merge` says which. Returns who was served. */
  async keep(merge: string): Promise<readonly Grant[]> {
    if (this.#ended) return [];
    this.#end();
    return (await this.#options.locker.keep(this.#lock, merge)) ?? [];
  }

  #renewLater(): void {
    this.#renewTimer = setTimeout(() => void this.#renew(), this.#options.timings.renewEveryMs);
  }

  async #renew(): Promise<void> {
    // Past the deadline no renewal may revive it: whoever waits counts on its end.
    if (!this.isHeld) return;
    const { locker, clock, timings } = this.#options;
    const sentAt = clock();
    this.#renewLater();
    const renewal = await locker.renew(this.#lock);
    if (this.#ended) return;
    if (renewal === 'lost') this.#lose('Redis no longer has the lease, its record or one of its entries');
    if (renewal === 'unknown') this.onRenewalFailed?.(this.leftMs);
    if (renewal !== 'renewed') return;
    this.#deadline = Math.max(this.#deadline, sentAt + timings.leaseTtlMs - timings.marginMs);
    this.#watch();
    this.onRenewed?.(this.leftMs);
  }

  /** Looks oftener than once: a timer stands still while the machine sleeps, the deadline does not. */
  #watch(): void {
    clearTimeout(this.#deadlineTimer);
    this.#deadlineTimer = setTimeout(
      () => {
        if (this.isHeld) this.#watch();
      },
      Math.max(1, Math.min(this.leftMs, this.#options.timings.marginMs / 2)),
    );
  }

  #lose(why: string): void {
    if (this.#ended) return;
    this.#end();
    this.#lost.abort(
      new SignalboxError('LEASE_LOST', `The claim of ${this.#lock.holder} is lost: ${why}.`, {
        next: 'Nothing to do: the task runs again. If it happens often, look at the load of the worker and of Redis.',
      }),
    );
  }

  #end(): void {
    this.#ended = true;
    clearTimeout(this.#renewTimer);
    clearTimeout(this.#deadlineTimer);
  }
}

/** The clock that a process judges all its claims by. */
export const processClock: Clock = leaseClock();
