/** Which stretch of time the timeline shows. Pure. */

const MINUTE = 60_000;

/** The lengths to choose from. */
export const LENGTHS = [
  { name: '5 m', ms: 5 * MINUTE },
  { name: '15 m', ms: 15 * MINUTE },
  { name: '1 h', ms: 60 * MINUTE },
  { name: '6 h', ms: 360 * MINUTE },
  { name: '24 h', ms: 1_440 * MINUTE },
] as const;

/** A stretch of time; `until` is null while it ends now. */
export interface Window {
  readonly lengthMs: number;
  readonly until: number | null;
}

/** The two ends of what is shown, in ms since the epoch. */
export interface Ends {
  readonly from: number;
  readonly to: number;
}

const SHORTEST = 10_000;
const LONGEST = 7 * 1_440 * MINUTE;

/** Its ends, in ms since the epoch. A live one has a little room at its right, where bars grow. */
export function endsOf({ lengthMs, until }: Window, now: number): Ends {
  const to = until ?? now + lengthMs * 0.02;
  return { from: to - lengthMs, to };
}

/** Moved by a part of its length; one that would reach into the future becomes live. */
export function moved(window: Window, by: number, now: number): Window {
  const until = (window.until ?? now) + by * window.lengthMs;
  return { ...window, until: until >= now ? null : until };
}

/** Twice as near (`-1`) or far (`1`), around its middle, or its end while it is live. */
export function zoomed({ lengthMs, until }: Window, by: 1 | -1, now: number): Window {
  const length = bounded(by === 1 ? lengthMs * 2 : lengthMs / 2);
  if (until === null) return { lengthMs: length, until };
  const end = until - lengthMs / 2 + length / 2;
  return { lengthMs: length, until: end >= now ? null : end };
}

/** Moved by a share of its length. */
export function panned({ from, to }: Ends, by: number): Ends {
  const shift = by * (to - from);
  return { from: from + shift, to: to + shift };
}

/** `factor` times as long, with the time at `share` of the width staying where it is. */
export function zoomedAt({ from, to }: Ends, share: number, factor: number): Ends {
  const length = bounded((to - from) * factor);
  const start = from + share * (to - from) - share * length;
  return { from: start, to: start + length };
}

/** The window that ends there; live if that is not before now. */
export function windowOf({ from, to }: Ends, now: number): Window {
  return { lengthMs: to - from, until: to >= now ? null : to };
}

function bounded(lengthMs: number): number {
  return Math.min(LONGEST, Math.max(SHORTEST, lengthMs));
}
