/**
 * A fleet played through: tasks arrive, start, wait and end in simulated time, by the very rules of rank (`fair.ts`) and
 * claims (`scheduler.ts`). What runs costs nothing but its duration: no hand-over, no preparation, no failures.
 *
 * A task that is neither running nor waiting takes no room, so that arrivals may be generated one by one.
 */

import TinyQueue from 'tinyqueue';
import type { NodeMode } from '../claims/modes.ts';
import { FairQueue } from './fair.ts';
import { classOf, type Priority } from './rank.ts';
import { Scheduler } from './scheduler.ts';
import { byRank, type Want, type WantOptions } from './want.ts';

/** A task to play. Times in ms. */
export interface SimulatedTask {
  /** Larger for a later submission. */
  readonly id: number;
  readonly owner: string;
  readonly priority: Priority;
  readonly policy?: WantOptions['policy'];
  readonly nodes: readonly { readonly name: string; readonly mode: NodeMode }[];
  readonly durationMs: number;
  /** Tasks that must have ended before; they arrive no later. */
  readonly after?: readonly number[];
}

/** What is known of a task while it is in the queue: its nodes are the scheduler's by then. */
export type QueuedTask = Omit<SimulatedTask, 'nodes'>;

/** A task on its way into the queue. */
export interface Arrival {
  readonly atMs: number;
  readonly task: SimulatedTask;
}

/** Told of what happens, in order of time. */
export interface Spectator {
  /** A task is filed under a node. */
  readonly blocked?: (task: QueuedTask, obstacle: string, atMs: number) => void;
  /** A task starts; `readyMs` is when it could first have been taken. */
  readonly started?: (task: QueuedTask, atMs: number, readyMs: number) => void;
  /** A task will never run: it was refused, or one that it comes after was. */
  readonly refused?: (task: QueuedTask, atMs: number) => void;
}

/** What the fleet is like. */
export interface Fleet {
  /** The most that run at once; infinite for no cap. */
  readonly runners: number;
  readonly keepAfterMs: number;
  /** Of owners, specs and resources, as in {@link Scheduler}. */
  readonly limits?: ReadonlyMap<string, number>;
  /** Shares of owners against others; default 1. */
  readonly weights?: ReadonlyMap<string, number>;
}

/** How a run went, as a whole. */
export interface Played {
  /** When the last task ended. */
  readonly makespanMs: number;
  /** The sum of all durations that were run. */
  readonly busyMs: number;
  readonly started: number;
  readonly refused: number;
  /** Tasks that wait for ever, such as for a resource without a capacity. */
  readonly stuck: number;
  /** The most that ran at once, and the most that were in the queue or in line at once. */
  readonly mostRunning: number;
  readonly mostWaiting: number;
}

interface Job {
  readonly task: QueuedTask;
  readonly want: Want;
  readonly readyMs: number;
}

interface End {
  readonly atMs: number;
  readonly job: Job;
}

/** Plays arrivals, which come in order of time, until nothing happens any more. */
export function simulate(fleet: Fleet, arrivals: Iterable<Arrival>, spectator: Spectator = {}): Played {
  const simulation = new Simulation(fleet, spectator);
  const source = arrivals[Symbol.iterator]();
  let next = source.next();
  for (;;) {
    simulation.startReady();
    const now = Math.min(simulation.nextEndMs, next.done === true ? Number.POSITIVE_INFINITY : next.value.atMs);
    if (now === Number.POSITIVE_INFINITY) return simulation.played;
    simulation.endUntil(now);
    for (; next.done !== true && next.value.atMs <= now; next = source.next()) simulation.arrive(next.value.task, now);
  }
}

class Simulation {
  readonly #fleet: Fleet;
  readonly #spectator: Spectator;
  readonly #fair = new FairQueue();
  readonly #scheduler: Scheduler;
  /** Those that a runner could take, by rank. */
  readonly #ready = new TinyQueue<Job>([], (a, b) => byRank(a.want, b.want));
  readonly #ends = new TinyQueue<End>([], (a, b) => a.atMs - b.atMs || a.job.want.id - b.job.want.id);
  /** Those in line, by id. */
  readonly #blocked = new Map<number, Job>();
  readonly #dependencies = new Dependencies();
  #now = 0;
  #running = 0;
  #makespanMs = 0;
  #busyMs = 0;
  #started = 0;
  #refused = 0;
  #mostRunning = 0;
  #mostWaiting = 0;

  constructor(fleet: Fleet, spectator: Spectator) {
    this.#fleet = fleet;
    this.#spectator = spectator;
    const { keepAfterMs, limits = new Map() } = fleet;
    const onStopped = ({ id }: Want, stopped: boolean): void => this.#fair.setStopped(String(id), stopped);
    this.#scheduler = new Scheduler({ keepAfterMs, limits, onStopped });
  }

  get nextEndMs(): number {
    return this.#ends.peek()?.atMs ?? Number.POSITIVE_INFINITY;
  }

  get played(): Played {
    return {
      makespanMs: this.#makespanMs,
      busyMs: this.#busyMs,
      started: this.#started,
      refused: this.#refused,
      stuck: this.#ready.length + this.#blocked.size + this.#dependencies.size,
      mostRunning: this.#mostRunning,
      mostWaiting: this.#mostWaiting,
    };
  }

  arrive(task: SimulatedTask, now: number): void {
    this.#now = now;
    const standing = this.#dependencies.arrive(task);
    if (standing === 'ready') this.#enter(task);
    else if (standing === 'never') this.#refuse(task);
  }

  /** Starts, in order of rank, what has all that it needs, while there are runners; the others get in line. */
  startReady(): void {
    while (this.#running < this.#fleet.runners) {
      const job = this.#ready.pop();
      if (job === undefined) return;
      const acquired = this.#scheduler.acquire(job.want, this.#now);
      this.#wake(acquired.granted);
      if (acquired.kind === 'held') this.#start(job);
      else if (acquired.kind === 'refused') this.#giveUp(job);
      else this.#block(job, acquired.obstacle);
    }
  }

  /** Ends all that ends by then. */
  endUntil(now: number): void {
    this.#now = now;
    for (let end = this.#ends.peek(); end !== undefined && end.atMs <= now; end = this.#ends.peek()) {
      this.#ends.pop();
      this.#running -= 1;
      this.#makespanMs = now;
      this.#wake(this.#scheduler.release(end.job.want, now));
      for (const task of this.#dependencies.end(end.job.task.id)) this.#enter(task);
    }
  }

  #enter({ nodes, ...task }: SimulatedTask): void {
    const { id, owner, priority, policy = 'wait' } = task;
    const weight = this.#fleet.weights?.get(owner) ?? 1;
    const rank = this.#fair.enter({ id: String(id), owner, priority, weight });
    const want = this.#scheduler.want({ id, rank, class: classOf(priority), policy, nodes });
    this.#ready.push({ task, want, readyMs: this.#now });
    this.#mostWaiting = Math.max(this.#mostWaiting, this.#ready.length + this.#blocked.size);
  }

  #start(job: Job): void {
    const { task, readyMs } = job;
    this.#fair.leave(String(task.id));
    this.#running += 1;
    this.#started += 1;
    this.#busyMs += task.durationMs;
    this.#mostRunning = Math.max(this.#mostRunning, this.#running);
    this.#ends.push({ atMs: this.#now + task.durationMs, job });
    this.#spectator.started?.(task, this.#now, readyMs);
  }

  #block(job: Job, obstacle: string): void {
    this.#blocked.set(job.want.id, job);
    this.#spectator.blocked?.(job.task, obstacle, this.#now);
  }

  #giveUp({ task }: Job): void {
    this.#fair.leave(String(task.id));
    this.#refuse(task);
  }

  #refuse(task: QueuedTask): void {
    this.#refused += 1;
    this.#spectator.refused?.(task, this.#now);
    for (const dependent of this.#dependencies.fail(task.id)) this.#refuse(dependent);
  }

  /** A granted task is taken like any other, once a runner is free; its reservation may be revoked until then. */
  #wake(granted: readonly Want[]): void {
    for (const { id } of granted) {
      const job = this.#blocked.get(id);
      if (job === undefined) continue;
      this.#blocked.delete(id);
      this.#ready.push(job);
    }
  }
}

/** Who waits for the end of which tasks. */
class Dependencies {
  readonly #live = new Set<number>();
  readonly #failed = new Set<number>();
  readonly #open = new Map<number, { readonly task: SimulatedTask; left: number }>();
  readonly #dependents = new Map<number, number[]>();

  /** How many wait. */
  get size(): number {
    return this.#open.size;
  }

  arrive(task: SimulatedTask): 'ready' | 'waiting' | 'never' {
    this.#live.add(task.id);
    const after = task.after ?? [];
    if (after.some((id) => this.#failed.has(id))) return 'never';
    const before = after.filter((id) => this.#live.has(id));
    if (before.length === 0) return 'ready';
    this.#open.set(task.id, { task, left: before.length });
    for (const id of before) this.#dependents.set(id, [...(this.#dependents.get(id) ?? []), task.id]);
    return 'waiting';
  }

  /** A task has run. Answers who can be taken now. */
  end(id: number): SimulatedTask[] {
    return this.#leave(id).flatMap((dependent) => {
      const open = this.#open.get(dependent);
      if (open === undefined) return [];
      open.left -= 1;
      if (open.left > 0) return [];
      this.#open.delete(dependent);
      return [open.task];
    });
  }

  /** A task will not run. Answers who will therefore not run either. */
  fail(id: number): SimulatedTask[] {
    this.#failed.add(id);
    return this.#leave(id).flatMap((dependent) => {
      const open = this.#open.get(dependent);
      this.#open.delete(dependent);
      return open === undefined ? [] : [open.task];
    });
  }

  #leave(id: number): number[] {
    this.#live.delete(id);
    const dependents = this.#dependents.get(id) ?? [];
    this.#dependents.delete(id);
    return dependents;
  }
}
