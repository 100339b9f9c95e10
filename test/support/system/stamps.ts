/**
 * What steps themselves write down about when they run: one line `<nanoseconds> <word> <task> <runner>` for their
 * start, their end and now and then in between, so that the last line of one that was killed tells until when it lived.
 */

import { appendFileSync, readFileSync } from 'node:fs';

/** When one run of a task was at work, in ms since the epoch. */
export interface Interval {
  readonly taskId: string;
  readonly runnerId: string;
  readonly start: number;
  /** The last sign of life. */
  readonly end: number;
  /** Whether it came to its end. */
  readonly ended: boolean;
}

/** The file that the steps of one test write to. */
export class Stamps {
  readonly file: string;

  constructor(file: string) {
    this.file = file;
    appendFileSync(file, '');
  }

  /** A shell command that notes `word`. */
  note(word: string): string {
    return `echo "$(date +%s%N) ${word} $SIGNALBOX_TASK_ID $SIGNALBOX_RUNNER_ID" >> '${this.file}'`;
  }

  /** A script that works until the file `gate` is there. */
  workUntil(gate: string): string {
    return `${this.note('start')}
while [ ! -e '${gate}' ]; do ${this.note('tick')}; sleep 0.05; done
${this.note('end')}`;
  }

  /** A script that works for some time. */
  workFor(ms: number): string {
    return `${this.note('start')}; sleep ${ms / 1_000}; ${this.note('end')}`;
  }

  /** The intervals noted so far, in the order of their start. */
  intervals(): Interval[] {
    const byRunner = new Map<string, Interval>();
    for (const { at, word, taskId, runnerId } of this.#lines()) {
      const known = byRunner.get(runnerId);
      const start = known?.start ?? at;
      byRunner.set(runnerId, { taskId, runnerId, start, end: at, ended: word === 'end' });
    }
    return [...byRunner.values()].sort((a, b) => a.start - b.start);
  }

  /** Those of one task. */
  of(taskId: string): Interval[] {
    return this.intervals().filter((interval) => interval.taskId === taskId);
  }

  #lines(): { at: number; word: string; taskId: string; runnerId: string }[] {
    const lines = readFileSync(this.file, 'utf8').split('\n').slice(0, -1);
    return lines.map((line) => {
      const [at = '', word = '', taskId = '', runnerId = ''] = line.split(' ');
      return { at: Number(at) / 1e6, word, taskId, runnerId };
    });
  }
}

/** Whether two were at work at the same moment. */
export function meet(a: Interval, b: Interval): boolean {
  return a.start < b.end && b.start < a.end;
}

/** The pairs that were at work at the same moment. */
export function meetings(intervals: readonly Interval[]): [Interval, Interval][] {
  const sorted = [...intervals].sort((a, b) => a.start - b.start);
  const pairs: [Interval, Interval][] = [];
  for (const [i, first] of sorted.entries()) {
    for (let j = i + 1; j < sorted.length; j += 1) {
      const second = sorted[j];
      if (second === undefined || second.start >= first.end) break;
      if (meet(first, second)) pairs.push([first, second]);
    }
  }
  return pairs;
}

/** The most that were at work at one moment. */
export function mostAtOnce(intervals: readonly Interval[]): number {
  const changes = intervals.flatMap(({ start, end }) => [
    { at: start, by: 1 },
    { at: end, by: -1 },
  ]);
  let now = 0;
  let most = 0;
  for (const { by } of changes.sort((a, b) => a.at - b.at || a.by - b.by)) {
    now += by;
    most = Math.max(most, now);
  }
  return most;
}
