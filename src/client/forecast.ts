/**
 * When waiting tasks are likely to start: the line played forward from what is held now, by the rules of `scheduler.ts`.
 * Runs end after the time that they are expected to take. Pure.
 */

import TinyQueue from 'tinyqueue';
import type { TicketNode } from '../waiting/line.ts';
import { Scheduler } from '../waiting/scheduler.ts';
import { byRank, type Want, type WantOptions } from '../waiting/want.ts';
import { isCounted } from './standing.ts';

/** A lock that is needed. */
export type NeededNode = Pick<TicketNode, 'name' | 'mode'>;

/** Who holds something now. */
export interface Running {
  readonly id: string;
  readonly nodes: readonly NeededNode[];
  /** Whether it takes up a runner, as tasks do and programs do not. */
  readonly isTask: boolean;
  /** How long it is expected to go on, in ms; infinite when nobody can tell. */
  readonly remainingMs: number;
}

/** Who waits, the older submission first. */
export interface Waiting extends Pick<WantOptions, 'rank' | 'class' | 'policy'> {
  readonly id: string;
  readonly nodes: readonly NeededNode[];
  readonly isTask: boolean;
  /** `queued`: has not asked yet; `blocked`: has a ticket; `granted`: what it needs is reserved for it. */
  readonly state: 'queued' | 'blocked' | 'granted';
  /** How long it has been in line, in ms; 0 when it has not asked yet. */
  readonly waitedMs: number;
  /** How long it will run, in ms; infinite when nobody can tell. */
  readonly durationMs: number;
  /** Ids of those here that must have ended before. */
  readonly after: readonly string[];
}

/** What is known at one moment. */
export interface Situation {
  /** How many tasks may run at once. */
  readonly slots: number;
  readonly keepAfterMs: number;
  /** How many may have a counted thing, by `kind:name`. */
  readonly limits: ReadonlyMap<string, number>;
  readonly running: readonly Running[];
  readonly waiting: readonly Waiting[];
}

/** In how many ms each of `wanted` is likely to start; those that nobody can tell of are left out. */
export function forecast(situation: Situation, wanted: Iterable<string>): Map<string, number> {
  return new Forecast(situation).starts(wanted);
}

interface Job {
  readonly id: string;
  readonly want: Want;
  readonly isTask: boolean;
  readonly durationMs: number;
  /** How many that it comes after have not ended. */
  open: number;
}

interface End {
  readonly atMs: number;
  readonly job: Job;
}

class Forecast {
  readonly #scheduler: Scheduler;
  readonly #jobs = new Map<number, Job>();
  readonly #ready = new TinyQueue<Job>([], (a, b) => byRank(a.want, b.want));
  readonly #ends = new TinyQueue<End>([], (a, b) => a.atMs - b.atMs);
  readonly #dependents = new Map<string, Job[]>();
  readonly #starts = new Map<string, number>();
  #now = 0;
  #free: number;

  constructor({ slots, keepAfterMs, limits, running, waiting }: Situation) {
    this.#free = slots;
    this.#scheduler = new Scheduler({ keepAfterMs, limits });
    for (const [i, holder] of running.entries()) this.#hold(holder, i);
    const jobs = waiting.map((waiter, i) => ({ waiter, job: this.#jobOf(waiter, running.length + i) }));
    const inOrder = jobs.toSorted((a, b) => byRank(a.job.want, b.job.want));
    for (const { waiter, job } of inOrder) if (waiter.state === 'granted') this.#enter(job, waiter);
    for (const { waiter, job } of inOrder) if (waiter.state !== 'granted') this.#enter(job, waiter);
  }

  starts(wanted: Iterable<string>): Map<string, number> {
    const open = new Set(wanted);
    const found = new Map<string, number>();
    for (;;) {
      this.#startReady();
      for (const id of open) {
        const at = this.#starts.get(id);
        if (at === undefined) continue;
        found.set(id, at);
        open.delete(id);
      }
      const next = this.#ends.pop();
      if (open.size === 0 || next === undefined || next.atMs === Number.POSITIVE_INFINITY) return found;
      this.#end(next);
    }
  }

  #hold({ id, nodes, isTask, remainingMs }: Running, number: number): void {
    // What is held is held, whatever the rules say now: beside others by a policy, or above a limit that was lowered.
    const take = (taken: readonly NeededNode[]): Want | undefined => {
      const want = this.#scheduler.want({ id: number, rank: 0, class: 0, policy: 'proceed', nodes: taken });
      if (this.#scheduler.acquire(want, 0).kind === 'held') return want;
      this.#scheduler.leave(want, 0);
      return undefined;
    };
    const want = take(nodes) ?? take(nodes.filter(({ name }) => !isCounted(name))) ?? take([]);
    if (want !== undefined) this.#run({ id, want, isTask, durationMs: remainingMs, open: 0 });
  }

  #jobOf({ id, rank, class: own, policy = 'wait', nodes, isTask, durationMs, after }: Waiting, number: number): Job {
    const want = this.#scheduler.want({ id: number, rank, class: own, policy, nodes });
    const job = { id, want, isTask, durationMs, open: after.length };
    this.#jobs.set(number, job);
    return job;
  }

  #enter(job: Job, { state, waitedMs, after }: Waiting): void {
    for (const id of after) this.#dependents.set(id, [...(this.#dependents.get(id) ?? []), job]);
    if (job.open > 0) return;
    if (state !== 'queued' && this.#scheduler.acquire(job.want, 0).kind === 'blocked') {
      job.want.since = -waitedMs;
      return;
    }
    this.#ready.push(job);
  }

  #startReady(): void {
    while (this.#free > 0) {
      const job = this.#ready.pop();
      if (job === undefined) return;
      // What was reserved from the first is held already.
      if (job.want.state === 'held') {
        this.#run(job);
        continue;
      }
      const acquired = this.#scheduler.acquire(job.want, this.#now);
      this.#wake(acquired.granted);
      if (acquired.kind === 'held') this.#run(job);
    }
  }

  #run(job: Job): void {
    this.#starts.set(job.id, this.#now);
    if (job.isTask) this.#free -= 1;
    this.#ends.push({ atMs: this.#now + job.durationMs, job });
  }

  #end({ atMs, job }: End): void {
    this.#now = atMs;
    if (job.isTask) this.#free += 1;
    for (const dependent of this.#dependents.get(job.id) ?? []) {
      dependent.open -= 1;
      if (dependent.open === 0) this.#ready.push(dependent);
    }
    this.#wake(this.#scheduler.release(job.want, atMs));
  }

  #wake(granted: readonly Want[]): void {
    for (const want of granted) {
      const job = this.#jobs.get(want.id);
      if (job === undefined) continue;
      if (job.isTask) {
        this.#ready.push(job);
        continue;
      }
      // A program needs no runner.
      this.#wake(this.#scheduler.acquire(want, this.#now).granted);
      this.#run(job);
    }
  }
}
