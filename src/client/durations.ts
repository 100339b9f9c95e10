/** How long a task is likely to run, told from those that ran before. Pure. */

/** What tells one kind of task from another. */
export interface TaskKind {
  readonly title: string;
  readonly owner: string;
  readonly spec: string | null;
  /** The repository's identity. */
  readonly repoKey: string;
}

/** A task that has run, and how long its last run took. */
export interface PastRun extends TaskKind {
  readonly durationMs: number;
}

/** How many runs an expectation is made from: the newest. */
const SAMPLES = 50;

/** A run that has lasted longer than any before it is expected to take this share of that time again. */
const OVERDUE_SHARE = 0.1;

/** Expectations from past runs, given newest first. */
export class Durations {
  readonly #samples = new Map<string, number[]>();

  constructor(past: Iterable<PastRun>) {
    for (const run of past) {
      for (const group of groupsOf(run)) {
        const samples = this.#samples.get(group) ?? [];
        if (samples.length === 0) this.#samples.set(group, samples);
        if (samples.length < SAMPLES) samples.push(run.durationMs);
      }
    }
    for (const samples of this.#samples.values()) samples.sort((a, b) => a - b);
  }

  /**
   * How long a run that has lasted for `elapsedMs` will last on, in ms: the median of those of its kind that took longer,
   * by the closest kind that is known. Undefined when nothing has run yet.
   */
  remaining(kind: TaskKind, elapsedMs = 0): number | undefined {
    const samples = groupsOf(kind)
      .map((group) => this.#samples.get(group))
      .find((group) => group !== undefined);
    if (samples === undefined) return undefined;
    const longer = samples.filter((duration) => duration > elapsedMs);
    const middle = longer[Math.floor((longer.length - 1) / 2)];
    return middle === undefined ? elapsedMs * OVERDUE_SHARE : middle - elapsedMs;
  }
}

/** The groups that a task belongs to, the closest first. */
function groupsOf({ title, owner, spec, repoKey }: TaskKind): string[] {
  return [
    JSON.stringify(['same', title, owner, spec, repoKey]),
    ...(spec === null ? [] : [JSON.stringify(['spec', spec])]),
    JSON.stringify(['owner', repoKey, owner]),
    JSON.stringify(['repo', repoKey]),
    'all',
  ];
}
