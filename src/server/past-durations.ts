/** How long past runs took, for estimates. It is much to read and changes little from one moment to the next. */

import type { Durations } from '../client/durations.ts';
import { readDurations } from '../client/estimate.ts';
import type { TaskQueue } from '../queue/task-queue.ts';
import type { Reads } from './reads.ts';

const KEEP_MS = 5_000;

/** A reader that asks Redis every few seconds at most. */
export function readPastDurations(queue: TaskQueue, reads: Reads): () => Promise<Durations> {
  return async () => await reads.keep('durations', KEEP_MS, async () => await readDurations(queue));
}
