/** Where each run stands on the timeline: one lane a runner slot, grouped by worker. Pure. */

import type { TimelineRun, TimelineWorker } from '../api/shapes.ts';
import { grouped } from '../grouped.ts';

/** Heights in px; the lanes' labels beside the canvas have the same. */
export const LANE_PX = 28;
export const HEAD_PX = 34;

/** A worker with its lanes. */
export interface Group {
  readonly workerId: string;
  /** Undefined for one that has left, or died. */
  readonly worker: TimelineWorker | undefined;
  readonly top: number;
  readonly lanes: number;
}

/** A run in its lane. Times in ms since the epoch. */
export interface Bar {
  readonly run: TimelineRun;
  readonly from: number;
  readonly to: number;
  readonly isRunning: boolean;
  /** The upper edge of its lane. */
  readonly top: number;
}

/** All lanes from top to bottom. */
export interface Lanes {
  readonly groups: readonly Group[];
  readonly bars: readonly Bar[];
  readonly height: number;
}

interface Span {
  readonly from: number;
  readonly to: number;
}

/**
 * Which slot each of these had: the first that was free when it began. Spans come in the order of their beginnings.
 * A worker's clock and the dashboard's differ, so that a little overlap is none.
 */
export function slotsOf(spans: readonly Span[], leewayMs = 250): number[] {
  const freeAt: number[] = [];
  return spans.map(({ from, to }) => {
    const free = freeAt.findIndex((at) => at <= from + leewayMs);
    const slot = free < 0 ? freeAt.length : free;
    freeAt[slot] = to;
    return slot;
  });
}

/** The lanes of these workers with these runs in them; workers that live come first, by name. */
export function lanesOf(workers: readonly TimelineWorker[], runs: readonly TimelineRun[], now: number): Lanes {
  const byWorker = grouped(runs, ({ workerId }) => workerId ?? '');
  const living = workers.toSorted((a, b) => compare(a.name, b.name) || compare(a.id, b.id));
  const livingIds = new Set(living.map(({ id }) => id));
  const gone = [...byWorker.keys()].filter((id) => !livingIds.has(id)).toSorted(compare);
  const groups: Group[] = [];
  const bars: Bar[] = [];
  let top = 0;
  for (const workerId of [...livingIds, ...gone]) {
    const worker = living.find(({ id }) => id === workerId);
    const spans = (byWorker.get(workerId) ?? [])
      .map((run) => ({ run, ...spanOf(run, now) }))
      .toSorted((a, b) => a.from - b.from);
    const slots = slotsOf(spans);
    const lanes = Math.max(worker?.concurrency ?? 1, ...slots.map((slot) => slot + 1));
    groups.push({ workerId, worker, top, lanes });
    for (const [i, span] of spans.entries()) {
      bars.push({ ...span, top: top + HEAD_PX + (slots[i] ?? 0) * LANE_PX });
    }
    top += HEAD_PX + lanes * LANE_PX;
  }
  return { groups, bars, height: top };
}

function spanOf({ startedAt, finishedAt }: TimelineRun, now: number): Span & { readonly isRunning: boolean } {
  const from = Date.parse(startedAt);
  const to = finishedAt === null ? now : Date.parse(finishedAt);
  return { from, to: Math.max(from, to), isRunning: finishedAt === null };
}

/** A part of a bar. */
export interface Segment extends Span {
  readonly name: string;
  readonly state: TimelineRun['phases'][number]['state'];
}

/** The phases of a run, without gaps and within its bar; one that goes on lasts until the bar's end. */
export function segmentsOf({ run, from, to }: Pick<Bar, 'run' | 'from' | 'to'>): Segment[] {
  const phases = run.phases.filter(({ state }) => state !== 'skipped');
  return phases.flatMap(({ name, state, startedAt }, i) => {
    const next = phases[i + 1];
    const start = i === 0 ? from : clamp(Date.parse(startedAt), from, to);
    const end = next === undefined ? to : clamp(Date.parse(next.startedAt), from, to);
    return end > start ? [{ name, state, from: start, to: end }] : [];
  });
}

function clamp(value: number, least: number, most: number): number {
  return Math.min(most, Math.max(least, value));
}

function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
