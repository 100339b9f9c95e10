/** What the scripts note of a run in the step that decides whether it may begin, see `outcome.lua`. */

/** What is noted of a run with its claim. */
export interface RunRequest {
  readonly host: string;
  /** Whether it has its worker to itself. */
  readonly alone: boolean;
  /** The token of the worker's lock on the job. */
  readonly token: string;
  /** Until when the job sleeps if nobody wakes it, in ms since the epoch. */
  readonly parkUntil: number;
  /** The same for one that waits for its own earlier run. */
  readonly deadMan: number;
}
