/**
 * For how long holders have been silent, by the clock of whoever watches them.
 *
 * A holder stops by itself when TTL − margin has passed since its last good renewal was *sent*. The time until which a
 * lease is good moves with each renewal, and by nothing else. So whoever sees it unmoved knows that the last renewal was
 * sent before the first of these looks, and that a live holder will have stopped TTL − margin after that look: whatever
 * the clock of Redis does meanwhile, since the wait is counted on the watcher's own. Watching begins when a lease is
 * overdue and not only when it has lapsed, so that most of the wait is over by then.
 */

import type { Clock } from './clock.ts';

/** The lease of a holder as one look has found it. */
export interface Lease {
  /** Of the holder's record: proof that it is the same claim. */
  readonly value: string;
  /** Until when it is good, by Redis' clock in ms; undefined when it is gone. */
  readonly untilMs: number | undefined;
}

/** What one look at the leases of a queue has found. */
export interface OverdueLeases {
  /** Redis' clock. */
  readonly nowMs: number;
  /** By holder: those that are overdue or gone. */
  readonly leases: ReadonlyMap<string, Lease>;
}

/** What follows from a look. */
export interface Silenced {
  /** Who must have stopped, with the values of their records. */
  readonly dead: readonly (readonly [holder: string, value: string])[];
  /** Whose lease was gone at the last look, and who has been freed since, by itself or by somebody else. */
  readonly freed: readonly string[];
}

interface Seen extends Lease {
  /** The first look since when it has not been renewed, on the watcher's clock. */
  readonly sinceMs: number;
}

/** Redis before 7 reads its clock twice for the time until which a lease is good. Far less than any margin. */
const READ_TWICE_MS = 10;

/** A watch over all holders of a queue. */
export class Silence {
  readonly #clock: Clock;
  readonly #stoppedAfterMs: number;
  readonly #closeMs: number;
  #seen = new Map<string, Seen>();
  /** On Redis' clock. */
  #lastLookMs = 0;

  constructor(clock: Clock, { leaseTtlMs, marginMs }: { readonly leaseTtlMs: number; readonly marginMs: number }) {
    this.#clock = clock;
    this.#stoppedAfterMs = leaseTtlMs - marginMs;
    this.#closeMs = leaseTtlMs / 2;
  }

  /** Takes in what a look has found. Called once Redis has answered: what it tells of was sent before. */
  note({ nowMs, leases }: OverdueLeases): Silenced {
    const at = this.#clock();
    const isClose = nowMs - this.#lastLookMs <= this.#closeMs;
    this.#lastLookMs = nowMs;
    const before = this.#seen;
    this.#seen = new Map();
    for (const [holder, lease] of leases) {
      const seen = before.get(holder);
      const isSame = seen?.value === lease.value && isUnmoved(seen, lease, { nowMs, isClose });
      this.#seen.set(holder, { ...lease, sinceMs: isSame ? seen.sinceMs : at });
    }
    return {
      dead: [...this.#seen].flatMap(([holder, { value, untilMs, sinceMs }]) =>
        untilMs === undefined && at - sinceMs >= this.#stoppedAfterMs ? [[holder, value] as const] : [],
      ),
      freed: [...before].flatMap(([holder, { value, untilMs }]) =>
        untilMs === undefined && leases.get(holder)?.value !== value ? [holder] : [],
      ),
    };
  }

  /** Forgets a holder that was freed. */
  forget(holder: string): void {
    this.#seen.delete(holder);
  }
}

/**
 * Whether a lease was not renewed between two looks. One that is gone was not if it went when it was due, and the looks
 * are so close by Redis' clock that a renewal in between would still be good: else it may have been renewed and then cut
 * short by a step of that clock. Not covered is a step there and back between two looks, beside a late renewal: it can hide
 * that renewal.
 */
function isUnmoved(
  { untilMs: was }: Seen,
  { untilMs: is }: Lease,
  { nowMs, isClose }: { readonly nowMs: number; readonly isClose: boolean },
): boolean {
  if (was === undefined || is === undefined)
    return was === is || (was !== undefined && isClose && nowMs >= was - READ_TWICE_MS);
  return Math.abs(is - was) <= READ_TWICE_MS;
}
