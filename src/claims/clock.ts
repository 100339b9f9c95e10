/** The clock that leases are judged by. */

import os from 'node:os';

/** `os.uptime()` has a resolution of up to a second on some systems; a suspend is longer than that. */
const UPTIME_RESOLUTION_MS = 1_000;

/** `os.uptime()` reads a file on some systems. Within this time after a suspend the clock may not know of it yet. */
const READ_UPTIME_EVERY_MS = 20;

/** Milliseconds since some moment in the past; only differences mean anything. */
export type Clock = () => number;

/**
 * A clock that no wall-clock step can move and that goes on while the machine is suspended: the larger of the
 * monotonic clock (which stops in suspend) and the boot clock (which is coarse).
 */
export function leaseClock(): Clock {
  const monotonicStart = performance.now();
  const bootStart = os.uptime() * 1_000;
  let readAt = Number.NEGATIVE_INFINITY;
  let aheadMs = 0;
  return () => {
    const monotonicMs = performance.now() - monotonicStart;
    if (monotonicMs - readAt >= READ_UPTIME_EVERY_MS) {
      readAt = monotonicMs;
      aheadMs = Math.max(0, os.uptime() * 1_000 - bootStart - UPTIME_RESOLUTION_MS - monotonicMs);
    }
    return monotonicMs + aheadMs;
  };
}
