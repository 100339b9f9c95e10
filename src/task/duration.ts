/** Durations: a number of milliseconds, or text such as `500`, `5m`, `1.5s`, `2h`. */

import ms from 'ms';

/** The longest duration that a task or an option may name: 30 days, in ms. */
export const MAX_DURATION_MS = 30 * 24 * 60 * 60 * 1000;

/** Whole milliseconds, or undefined when it is no duration. The unit of a bare number is ms. */
export function parseDuration(given: number | string): number | undefined {
  if (typeof given === 'number') return Number.isFinite(given) ? Math.round(given) : undefined;
  if (!/^\s*\d+(\.\d+)?\s*[a-z]*\s*$/i.test(given) || given.length > 40) return undefined;
  const value: number | undefined = ms(given.trim() as ms.StringValue);
  return value === undefined || !Number.isFinite(value) ? undefined : Math.round(value);
}
