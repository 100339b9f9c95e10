/** How much of the fleet is in use. Pure. */

import type { Status } from '../api/shapes.ts';
import { countWords } from '../words/amount.ts';

/** Runners that run, and how many there may be. */
export interface Fleet {
  readonly running: number;
  /** All slots of all workers. */
  readonly slots: number;
  /** The cap in force; null when there is none. */
  readonly cap: number | null;
  /** What may run at once: slots or cap, whichever is less. */
  readonly most: number;
  readonly words: string;
}

/** What the status says about the fleet. */
export function fleetOf({
  maxParallelRunners: cap,
  running,
  workers,
}: Pick<Status, 'maxParallelRunners' | 'running'> & {
  readonly workers: readonly { readonly concurrency: number }[];
}): Fleet {
  const slots = workers.reduce((sum, { concurrency }) => sum + concurrency, 0);
  const most = cap === null ? slots : Math.min(cap, slots);
  const words = [
    `${running} of ${countWords(most, 'runner')} in use`,
    `${countWords(slots, 'slot')} on ${countWords(workers.length, 'worker')}`,
    cap === null ? 'no cap' : `capped at ${cap}`,
  ].join('; ');
  return { running, slots, cap, most, words };
}
