/** Where the time axis has its marks, and what they say. Pure. */

import { clockWords } from '../words/time.ts';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** Distances that read well on a clock. */
const STEPS = [
  ...[1, 2, 5, 10, 15, 30].map((n) => n * SECOND),
  ...[1, 2, 5, 10, 15, 30].map((n) => n * MINUTE),
  ...[1, 2, 3, 6, 12].map((n) => n * HOUR),
  ...[1, 2, 7].map((n) => n * DAY),
];

/** The smallest distance of which at most `most` marks fall into a stretch. */
export function tickStep(lengthMs: number, most: number): number {
  return STEPS.find((step) => lengthMs / step <= most) ?? 7 * DAY;
}

/**
 * The marks between two times, on round times of the clock on the wall, which is `offsetMinutes` before UTC as
 * `Date.getTimezoneOffset` says.
 */
export function ticksOf(
  { from, to }: { readonly from: number; readonly to: number },
  most: number,
  offsetMinutes = new Date(from).getTimezoneOffset(),
): number[] {
  const step = tickStep(to - from, Math.max(1, most));
  const shift = offsetMinutes * MINUTE;
  const first = Math.ceil((from - shift) / step) * step + shift;
  const ticks: number[] = [];
  for (let at = first; at <= to; at += step) ticks.push(at);
  return ticks;
}

/** What a mark says: seconds only where marks are that near, a day at its midnight. */
export function tickWords(at: number, step: number): string {
  const [hours, minutes, seconds] = clockWords(at).split(':');
  const isMidnight = hours === '00' && minutes === '00' && seconds === '00';
  if (step >= DAY || isMidnight) {
    return new Date(at).toLocaleDateString(undefined, { day: 'numeric', month: 'short' });
  }
  return step < MINUTE ? `${hours}:${minutes}:${seconds}` : `${hours}:${minutes}`;
}
