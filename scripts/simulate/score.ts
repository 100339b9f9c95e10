/** What a simulated run is judged by, gathered while it goes on: nothing is kept of a task but sums. */

import { PRIORITIES, type Priority } from '../../src/waiting/rank.ts';
import type { Played, QueuedTask, Spectator } from '../../src/waiting/simulation.ts';

/** How long tasks of a priority waited, in ms. */
export interface Waits {
  readonly tasks: number;
  readonly meanMs: number;
  readonly longestMs: number;
}

/** The figures of a run. */
export interface Score {
  readonly tasks: number;
  readonly makespanMs: number;
  /** No schedule is shorter: see {@link Bound}. */
  readonly idealMs: number;
  readonly makespanOverIdeal: number;
  readonly waits: Readonly<Record<Priority, Waits>>;
  /** Jain's index over owners of the share of their tasks' time in which these ran: 1 is the same share for all. */
  readonly fairness: number;
  /** How much of the runners' time was used, 0 to 1. */
  readonly utilisation: number;
  /** How often a task was put in line. */
  readonly conflicts: number;
  readonly refused: number;
  readonly stuck: number;
  readonly mostRunning: number;
  readonly mostWaiting: number;
}

interface OwnerTime {
  runMs: number;
  waitMs: number;
}

/** Watches a run. */
export class Scorer {
  readonly #waits = new Map(PRIORITIES.map((priority) => [priority, { tasks: 0, sumMs: 0, longestMs: 0 }]));
  readonly #owners = new Map<string, OwnerTime>();
  #conflicts = 0;

  readonly spectator: Spectator = {
    blocked: () => {
      this.#conflicts += 1;
    },
    started: (task, atMs, readyMs) => this.#started(task, atMs - readyMs),
  };

  #started({ priority, owner, durationMs }: QueuedTask, waitMs: number): void {
    const waits = this.#waits.get(priority);
    if (waits !== undefined) {
      waits.tasks += 1;
      waits.sumMs += waitMs;
      waits.longestMs = Math.max(waits.longestMs, waitMs);
    }
    let time = this.#owners.get(owner);
    if (time === undefined) this.#owners.set(owner, (time = { runMs: 0, waitMs: 0 }));
    time.runMs += durationMs;
    time.waitMs += waitMs;
  }

  /** The figures of the whole run. */
  score(played: Played, { idealMs, runners }: { readonly idealMs: number; readonly runners: number }): Score {
    const waits = [...this.#waits].map(([priority, { tasks, sumMs, longestMs }]) => {
      return [priority, { tasks, meanMs: tasks === 0 ? 0 : sumMs / tasks, longestMs }] as const;
    });
    const shares = [...this.#owners.values()].map(({ runMs, waitMs }) => runMs / (runMs + waitMs));
    const slots = Number.isFinite(runners) ? runners : played.mostRunning;
    const { started, makespanMs, busyMs, refused, stuck, mostRunning, mostWaiting } = played;
    return {
      tasks: started,
      makespanMs,
      idealMs,
      makespanOverIdeal: makespanMs / idealMs,
      waits: Object.fromEntries(waits) as Record<Priority, Waits>,
      fairness: jain(shares),
      utilisation: busyMs / (slots * makespanMs),
      conflicts: this.#conflicts,
      refused,
      stuck,
      mostRunning,
      mostWaiting,
    };
  }
}

/** Jain's fairness index: 1 when all are equal, 1 / n when one has everything. */
export function jain(values: readonly number[]): number {
  const sum = values.reduce((all, value) => all + value, 0);
  const squares = values.reduce((all, value) => all + value * value, 0);
  return sum ** 2 / (values.length * squares);
}

/**
 * A makespan that no schedule can go below, for any number of tasks: the work over the runners, the work on any one
 * thing that only one task may have at a time, counted from its first arrival, and the last arrival with its duration.
 */
export class Bound {
  readonly #things = new Map<number, { firstMs: number; workMs: number }>();
  #workMs = 0;
  #firstMs = Number.POSITIVE_INFINITY;
  #latestMs = 0;

  /** `alone`: the things that the task must have for itself. */
  add({
    atMs,
    durationMs,
    alone,
  }: {
    readonly atMs: number;
    readonly durationMs: number;
    readonly alone: readonly number[];
  }): void {
    this.#workMs += durationMs;
    this.#firstMs = Math.min(this.#firstMs, atMs);
    this.#latestMs = Math.max(this.#latestMs, atMs + durationMs);
    for (const thing of alone) {
      const seen = this.#things.get(thing);
      if (seen === undefined) this.#things.set(thing, { firstMs: atMs, workMs: durationMs });
      else seen.workMs += durationMs;
    }
  }

  /** With so many runners. */
  idealMs(runners: number): number {
    let longest = Math.max(this.#latestMs, this.#firstMs + this.#workMs / runners);
    for (const { firstMs, workMs } of this.#things.values()) longest = Math.max(longest, firstMs + workMs);
    return longest;
  }
}
