/** What must not happen while anything is measured: two at it at once, or a waiter that nobody woke. */

import type { RunResult } from './trial.ts';

/** What went wrong. */
export interface Faults {
  readonly overlaps: readonly string[];
  readonly deadManFired: number;
}

/** Nothing went wrong, or nothing of the kind can. */
export const NO_FAULTS: Faults = { overlaps: [], deadManFired: 0 };

/** What went wrong in the runs of a measurement. */
export class FaultList {
  readonly #overlaps: string[] = [];
  #deadManFired = 0;

  note<T extends RunResult>(result: T): T {
    this.#overlaps.push(...result.overlaps);
    this.#deadManFired += result.deadManFired;
    return result;
  }

  get all(): Faults {
    return { overlaps: this.#overlaps, deadManFired: this.#deadManFired };
  }
}
