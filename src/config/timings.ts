/** All timings follow from one number, the lease's TTL. */

/** The timings of a queue, all in ms. */
export interface Timings {
  /** How long a lease lives without renewal. */
  readonly leaseTtlMs: number;
  /** How often a holder renews: a third of the TTL. */
  readonly renewEveryMs: number;
  /** How long before the TTL's end a holder stops by itself: a fifth of it. */
  readonly marginMs: number;
  /** How long a supervisor may leave a request unread before it is killed: the margin, but see `answerMs` below. */
  readonly answerMs: number;
  /** How long BullMQ's lock on a job lives: the TTL. */
  readonly lockDurationMs: number;
  /** How often BullMQ looks for jobs without a lock: half the TTL. */
  readonly stalledIntervalMs: number;
  /** How long a lease goes without renewal until reapers watch its holder: the TTL less two margins. */
  readonly overdueMs: number;
  /** How often the reaper looks at the leases: a tenth of the TTL. */
  readonly reapEveryMs: number;
  /** How old may be what another reaper has found: half the time between two looks. */
  readonly sharedLookMs: number;
  /** The longest time from a worker's death until what it held is free and its jobs are back in the queue. */
  readonly recoveryMs: number;
}

/**
 * The timings for a lease's TTL. Recovery is the longer of two ways that run side by side. Claims: the lease is overdue,
 * the next look finds it so (or, where that takes what somebody else has found, one so much later), TTL − margin
 * passes without a renewal, which is longer than the rest of the lease, and a last look frees the claim. Jobs: BullMQ's
 * lock lapses, and the next look finds it so. With these fractions it is 1.65 times the TTL.
 */
export function timings(leaseTtlMs: number): Timings {
  const marginMs = Math.ceil(leaseTtlMs / 5);
  const reapEveryMs = Math.floor(leaseTtlMs / 10);
  const stalledIntervalMs = Math.floor(leaseTtlMs / 2);
  const overdueMs = leaseTtlMs - 2 * marginMs;
  const sharedLookMs = Math.ceil(reapEveryMs / 2);
  const claimsFreeMs = overdueMs + reapEveryMs + sharedLookMs + (leaseTtlMs - marginMs) + reapEveryMs;
  return {
    leaseTtlMs,
    renewEveryMs: Math.floor(leaseTtlMs / 3),
    marginMs,
    answerMs: answerMs(leaseTtlMs, marginMs),
    lockDurationMs: leaseTtlMs,
    stalledIntervalMs,
    overdueMs,
    reapEveryMs,
    sharedLookMs,
    recoveryMs: Math.max(claimsFreeMs, leaseTtlMs + stalledIntervalMs),
  };
}

/** A busy machine may keep a sound process waiting for this long. */
const BUSY_MS = 1_000;

/**
 * A supervisor must answer within the margin, so that its runs are dead before their leases are. The margin of a short
 * lease is less than what a sound process needs on a busy machine, so it gets a second there, but no more than half
 * the TTL: from the holder's own deadline to the moment at which the reaper frees the claim it is `overdueMs`.
 */
function answerMs(leaseTtlMs: number, marginMs: number): number {
  return Math.max(marginMs, Math.min(BUSY_MS, Math.floor(leaseTtlMs / 2)));
}
