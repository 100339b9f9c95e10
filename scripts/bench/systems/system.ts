/** What the bench needs of a system that it measures. */

import type { Note } from '../stats.ts';
import type { BenchTask } from '../workload.ts';

/** Where a system runs. */
export interface Place {
  readonly redisUrl: string;
  readonly queue: string;
  /** How many tasks one worker runs at once. */
  readonly concurrency: number;
  /** A folder that the worker may write to. */
  readonly dir: string;
  /** A PostgreSQL, for the system that needs one. */
  readonly postgresUrl?: string | undefined;
}

/** What a worker has seen. */
export interface Seen {
  readonly notes: readonly Note[];
  /** How often a task had to wait for a lock. */
  readonly blocked: number;
  /** How often a waiting task was woken by the clock. */
  readonly deadManFired: number;
}

/** A worker that takes tasks. */
export interface BenchWorker {
  close(): Promise<Seen>;
}

/** The side that queues tasks. */
export interface Producer {
  /** Lets no worker begin. */
  pause(): Promise<void>;
  /** Lets the workers begin. */
  resume(): Promise<void>;
  /** Queues tasks, which are numbered from `first` on. */
  add(tasks: readonly BenchTask[], first: number): Promise<void>;
  /** How many tasks have ended. Throws if one failed. */
  finished(): Promise<number>;
  close(): Promise<void>;
}

/** A system under measurement. */
export interface System {
  /** How tables call it. */
  readonly title: string;
  /** Its queue cannot be paused: its workers are opened when tasks are there, and begin then. */
  readonly opensLate?: boolean;
  openWorker(place: Place): Promise<BenchWorker>;
  openProducer(place: Place): Promise<Producer>;
}

/** Works for as long as a task takes, and notes when. The clock is the machine's, so that processes can be compared. */
export async function work(notes: Note[], { task, ms }: { readonly task: number; readonly ms: number }): Promise<void> {
  const from = machineMs();
  if (ms > 0) await new Promise((done) => setTimeout(done, ms));
  notes.push({ task, from, to: machineMs() });
}

function machineMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}
