/** Figures from what was noted: how long, how far apart, and whether two were at it at once. */

import { type BenchTask, resourcesOf } from './workload.ts';

/** When a task's handler worked, in ms of a clock that all processes of this machine share. */
export interface Note {
  readonly task: number;
  readonly from: number;
  readonly to: number;
}

/** A value that at least `share` of the others do not exceed; the middle one for 0.5. NaN of nothing. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN;
}

/** Smallest, middle and largest of several runs. */
export interface Spread {
  /** How many runs. */
  readonly count: number;
  readonly min: number;
  readonly median: number;
  readonly max: number;
}

/** The spread of some values. */
export function spread(values: readonly number[]): Spread {
  return {
    count: values.length,
    min: Math.min(...values),
    median: percentile(values, 0.5),
    max: Math.max(...values),
  };
}

/** A spread as tables show it: the median, and what lies around it. */
export function shown({ count, min, median, max }: Spread, digits = 0): string {
  const around = `${min.toFixed(digits)} to ${max.toFixed(digits)}`;
  return count > 1 ? `${median.toFixed(digits)} (${around})` : median.toFixed(digits);
}

/** From the first start to the last end. */
export function makespan(notes: readonly Note[]): number {
  return Math.max(...notes.map(({ to }) => to)) - Math.min(...notes.map(({ from }) => from));
}

/** The gaps between one end and the next start, for tasks that can only run one after the other. */
export function gaps(notes: readonly Note[]): number[] {
  const sorted = [...notes].sort((a, b) => a.from - b.from);
  return sorted.slice(1).map((note, i) => note.from - (sorted[i]?.to ?? note.from));
}

/** Pairs of tasks that had something in common and worked at the same time. */
export function overlaps(notes: readonly Note[], tasks: readonly BenchTask[]): string[] {
  const byResource = new Map<string, Note[]>();
  for (const note of notes) {
    const task = tasks[note.task];
    for (const resource of task === undefined ? [] : resourcesOf(task)) {
      byResource.set(resource, [...(byResource.get(resource) ?? []), note]);
    }
  }
  return [...byResource].flatMap(([resource, users]) => {
    const sorted = users.sort((a, b) => a.from - b.from);
    let last = sorted[0];
    return sorted.slice(1).flatMap((note) => {
      const before = last;
      if (last === undefined || note.to > last.to) last = note;
      return before !== undefined && note.from < before.to
        ? [`tasks ${before.task} and ${note.task} both had ${resource}`]
        : [];
    });
  });
}
