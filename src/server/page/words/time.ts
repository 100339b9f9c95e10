/** Times and durations as people read them. */

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** A duration in its two largest units: `840 ms`, `4.2 s`, `3 m 12 s`, `2 h 5 m`, `3 d 4 h`; `–` where not known. */
export function durationWords(ms: number | null | undefined): string {
  if (ms === null || ms === undefined || !Number.isFinite(ms)) return '–';
  const length = Math.max(0, ms);
  if (length < 999.5) return `${Math.round(length)} ms`;
  // What would be rounded to 10 s is written without a fraction.
  if (length < 9_950) return `${(length / SECOND).toFixed(1)} s`;
  // Each unit is rounded before it is looked at: else an hour less a moment would be 60 m.
  const seconds = Math.round(length / SECOND);
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3_600) return pair(seconds, { unit: 60, names: ['m', 's'] });
  const minutes = Math.round(length / MINUTE);
  if (minutes < 1_440) return pair(minutes, { unit: 60, names: ['h', 'm'] });
  return pair(Math.round(length / HOUR), { unit: 24, names: ['d', 'h'] });
}

function pair(count: number, { unit, names }: { unit: number; names: readonly [string, string] }): string {
  const rest = count % unit;
  return `${Math.floor(count / unit)} ${names[0]}${rest === 0 ? '' : ` ${rest} ${names[1]}`}`;
}

/** How long ago a time was, `just now` below five seconds; a time to come is `in …`. */
export function agoWords(at: number, now: number): string {
  const past = now - at;
  if (Math.abs(past) < 5 * SECOND) return 'just now';
  return past > 0 ? `${coarse(past)} ago` : `in ${coarse(-past)}`;
}

/** The largest unit alone. */
function coarse(ms: number): string {
  if (ms < MINUTE) return `${Math.round(ms / SECOND)} s`;
  if (ms < HOUR) return `${Math.round(ms / MINUTE)} m`;
  if (ms < DAY) return `${Math.round(ms / HOUR)} h`;
  return `${Math.round(ms / DAY)} d`;
}

/** A time of day, `14:03:09`. */
export function clockWords(at: number): string {
  const date = new Date(at);
  return [date.getHours(), date.getMinutes(), date.getSeconds()].map(twoDigits).join(':');
}

/** A day and time, `2026-03-09 14:03:09`. */
export function dateWords(at: number): string {
  const date = new Date(at);
  return `${date.getFullYear()}-${twoDigits(date.getMonth() + 1)}-${twoDigits(date.getDate())} ${clockWords(at)}`;
}

function twoDigits(n: number): string {
  return String(n).padStart(2, '0');
}
