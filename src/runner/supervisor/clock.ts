/**
 * Deadlines that neither a stopped process nor a suspended machine can stretch.
 *
 * The monotonic clock stands still while a machine sleeps; the time since boot does not, but is coarse on some systems.
 * A deadline is therefore a moment on both, and has passed when either has reached it: by the larger of the two
 * elapsed times. Both are clocks of the host, not of a process, so that a deadline means the same to the worker that
 * sets it and to the supervisor that keeps it, however long the message between them was under way.
 */
import { uptime } from 'node:os';

/** The host's two clocks, in ms from an origin of their own. */
export interface Instant {
  readonly monotonicMs: number;
  readonly bootMs: number;
}

/** The instant at which something must be over. */
export type Deadline = Instant;

/** Reads both clocks. */
export function now(): Instant {
  return { monotonicMs: Number(process.hrtime.bigint() / 1000n) / 1000, bootMs: uptime() * 1000 };
}

/** `uptime()` counts whole seconds on some systems; a suspend that matters is longer than that. */
const BOOT_RESOLUTION_MS = 1_000;

/** The deadline `ms` after `from`. */
export function deadlineIn(ms: number, from: Instant = now()): Deadline {
  return { monotonicMs: from.monotonicMs + ms, bootMs: from.bootMs + ms + BOOT_RESOLUTION_MS };
}

/** Whether the deadline has passed by either clock. */
export function hasPassed(deadline: Deadline, at: Instant = now()): boolean {
  return at.monotonicMs >= deadline.monotonicMs || at.bootMs >= deadline.bootMs;
}
