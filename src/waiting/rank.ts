/**
 * Rank: one number that orders tickets and the queue; lower is earlier, and between equals the older submission.
 *
 * A rank is a start time in virtual time (`fair.ts`) and the lag of a priority. `low` starts as if it had come
 * `LEAD_TASKS` tasks later than `normal`, `high` as many tasks earlier; `urgent` comes before all that wait. Ranks are
 * absolute: once given, a rank is never changed. BullMQ's priority has only 21 bits, so it is a rank's distance from a
 * base, which moves.
 */

/** What one task of an owner with weight 1 costs in virtual time. */
export const QUANTUM = 1024;

/** How many tasks of one owner a priority is ahead of the next one. */
export const LEAD_TASKS = 10_000;

const LEAD = LEAD_TASKS * QUANTUM;

/** Virtual time stays below this, so that no `urgent` is ever behind another class: a billion tasks. */
const URGENT_LEAD = 2 ** 40;

/** From the first to the last; a task's class is its place here. */
export const PRIORITIES = ['urgent', 'high', 'normal', 'low'] as const;

/** A task's priority. */
export type Priority = (typeof PRIORITIES)[number];

/** What each class adds to a start time, by class. */
const LAGS: readonly number[] = [0, URGENT_LEAD, URGENT_LEAD + LEAD, URGENT_LEAD + 2 * LEAD];

/** The class of a priority: 0 is the highest. */
export function classOf(priority: Priority): number {
  return PRIORITIES.indexOf(priority);
}

/** The rank of a task that starts at `start` in virtual time. */
export function rankOf(priority: Priority, start: number): number {
  return start + (LAGS[classOf(priority)] ?? 0);
}

/** Ranks that BullMQ cannot tell apart: a sixteenth of a task. */
const RESOLUTION = QUANTUM / 16;
const BULL_RANGE = 2 ** 21 - 1;
/** How many of BullMQ's priorities are for `urgent`. */
const URGENT_PLACES = 2 ** 18;

/**
 * BullMQ's priority (1 to 2,097,151, lower is earlier) for a rank. `base` is a start time that no waiting task should
 * be before. Beyond 16,000 urgent tasks or 90,000 others of one owner order falls back to BullMQ's own, by age.
 */
export function bullPriority(rank: number, base: number): number {
  const isUrgent = rank < URGENT_LEAD;
  const [lag, first, last] = isUrgent ? [0, 1, URGENT_PLACES] : [URGENT_LEAD, URGENT_PLACES + 1, BULL_RANGE];
  const place = Math.floor((rank - lag - base) / RESOLUTION);
  return Math.min(first + Math.max(place, 0), last);
}

/** Whether the base has fallen so far behind virtual time that BullMQ's priorities should be counted anew. */
export function shouldRebase(base: number, virtualTime: number): boolean {
  return virtualTime - base > (RESOLUTION * URGENT_PLACES) / 2;
}
