/** What the bench asks and what it gets: one file a question in `questions/`. */

import type { Bench } from './bench.ts';
import type { Faults } from './faults.ts';

/** One thing that is measured. */
export interface Question {
  /** How `--only` calls it. */
  readonly name: string;
  /** What it asks, in one sentence. */
  readonly asks: string;
  run(bench: Bench): Promise<Answer>;
}

/** What was measured. */
export interface Answer {
  /** All figures as plain data. */
  readonly figures: unknown;
  readonly tables: readonly AnswerTable[];
  readonly plots: readonly Plot[];
  readonly targets: readonly Target[];
  readonly faults: Faults;
}

/** Figures as people read them. */
export interface AnswerTable {
  /** What is in it, and how often it was measured. */
  readonly title: string;
  readonly head: readonly string[];
  readonly rows: readonly (readonly (string | number)[])[];
  /** What one must know to judge it: how a baseline was set up, what was left out and why. */
  readonly notes?: readonly string[];
}

/** A curve or bars a series. */
export interface Plot {
  readonly title: string;
  readonly kind: 'line' | 'bar';
  readonly x: Axis;
  readonly y: Axis;
  /** Drawn as a dashed line across. */
  readonly goal?: number | undefined;
  readonly series: readonly {
    readonly name: string;
    readonly points: readonly (readonly [string | number, number])[];
  }[];
}

interface Axis {
  readonly name: string;
  /** `category` for names, `log` for what grows by factors. */
  readonly scale: 'category' | 'linear' | 'log';
}

/** A figure that has a goal. Missing it fails nothing: it is printed. */
export interface Target {
  readonly what: string;
  /** In words, such as `≤ 1.05`. */
  readonly goal: string;
  readonly value: number;
  readonly unit: string;
  readonly met: boolean;
}

/** A target that is met by a value not above `goal`. */
export function atMost(goal: number, what: string, { value, unit = '' }: Measured): Target {
  return { what, goal: `≤ ${goal}${unit && ` ${unit}`}`, value, unit, met: value <= goal };
}

/** A target that is met by a value not below `goal`. */
export function atLeast(goal: number, what: string, { value, unit = '' }: Measured): Target {
  return { what, goal: `≥ ${goal}${unit && ` ${unit}`}`, value, unit, met: value >= goal };
}

interface Measured {
  readonly value: number;
  readonly unit?: string;
}
