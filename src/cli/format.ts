/** Values as people read them. */

import Table from 'cli-table3';
import type { TaskCode, TaskState } from '../task/states.ts';
import type { Paint, Style } from './paint.ts';

const STATE_STYLES: Readonly<Record<TaskState, Style>> = {
  queued: 'dim',
  scheduled: 'dim',
  blocked: 'yellow',
  running: 'cyan',
  succeeded: 'green',
  failed: 'red',
  cancelled: 'dim',
  skipped: 'dim',
};

const MS = { second: 1_000, minute: 60_000, hour: 3_600_000, day: 86_400_000 };
const BORDERLESS = Object.fromEntries(
  [
    ...['top', 'top-mid', 'top-left', 'top-right', 'bottom', 'bottom-mid', 'bottom-left', 'bottom-right'],
    ...['left', 'left-mid', 'mid', 'mid-mid', 'right', 'right-mid', 'middle'],
  ].map((part) => [part, part === 'middle' ? '  ' : '']),
);

/** A state in its color, with its code: `failed (timeout)`. */
export function stateText(paint: Paint, state: TaskState, code: TaskCode | null = null): string {
  return paint(STATE_STYLES[state], code === null || code === state ? state : `${state} (${code})`);
}

/** A duration in ms in its two largest units: `850ms`, `3.2s`, `4m 10s`, `2h 5m`, `3d 4h`. */
export function durationText(ms: number): string {
  if (ms < MS.second) return `${Math.max(0, Math.round(ms))}ms`;
  if (ms < 10 * MS.second) return `${(Math.floor(ms / 100) / 10).toFixed(1)}s`;
  if (ms < MS.minute) return `${Math.floor(ms / MS.second)}s`;
  if (ms < MS.hour) return pair(ms, [MS.minute, 'm'], [MS.second, 's']);
  if (ms < MS.day) return pair(ms, [MS.hour, 'h'], [MS.minute, 'm']);
  return pair(ms, [MS.day, 'd'], [MS.hour, 'h']);
}

/** A time relative to now: `4m 10s ago`. */
export function agoText(iso: string, now = Date.now()): string {
  const ms = now - Date.parse(iso);
  if (ms < 0) return `in ${durationText(-ms)}`;
  return ms < MS.second ? 'just now' : `${durationText(ms)} ago`;
}

/** A size in binary units: `512 B`, `1.5 MiB`. */
export function bytesText(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  const power = Math.min(units.length - 1, Math.max(0, Math.floor(Math.log2(Math.max(1, bytes)) / 10)));
  const value = bytes / 1024 ** power;
  return `${power === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${units[power]}`;
}

/** `1 task`, `2 tasks`. */
export function countText(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

/** Text on one line of at most `max` characters. */
export function clip(text: string, max: number): string {
  const letters = Array.from(text.replace(/[\p{Cc}\p{Z}]+/gu, ' ').trim());
  return letters.length > max ? `${letters.slice(0, Math.max(0, max - 1)).join('')}…` : letters.join('');
}

/** Lines of aligned columns under their heads. */
export function table(paint: Paint, head: readonly string[], rows: readonly (readonly string[])[]): string {
  const made = new Table({ chars: BORDERLESS, style: { 'padding-left': 0, 'padding-right': 0, head: [], border: [] } });
  made.push(head.map((name) => paint('dim', name.toUpperCase())));
  for (const row of rows) made.push([...row]);
  return trimmed(made.toString());
}

/** Lines of a name and a value each; those without a value are left out. */
export function fields(paint: Paint, rows: readonly (readonly [string, string | null])[]): string {
  const shown = rows.filter(([, value]) => value !== null && value !== '');
  const width = Math.max(0, ...shown.map(([name]) => name.length));
  return shown.map(([name, value]) => `${paint('dim', name.padEnd(width))}  ${value}`).join('\n');
}

/** The text with every line indented. */
export function indent(text: string, by = '  '): string {
  return text
    .split('\n')
    .map((line) => (line === '' ? '' : `${by}${line}`))
    .join('\n');
}

function pair(ms: number, large: readonly [number, string], small: readonly [number, string]): string {
  const rest = Math.floor((ms % large[0]) / small[0]);
  return `${Math.floor(ms / large[0])}${large[1]}${rest === 0 ? '' : ` ${rest}${small[1]}`}`;
}

function trimmed(text: string): string {
  return text
    .split('\n')
    .map((line) => line.trimEnd())
    .filter((line) => line !== '')
    .join('\n');
}
