/**
 * Start-time fair queueing between owners (Goyal, Vin and Cheng, 1996): who comes when, in virtual time.
 *
 * A task starts where its owner's last waiting task ends, or now, whichever is later; it lasts `QUANTUM` divided by its
 * owner's weight. So an owner's thousand tasks lie one behind the other, and another's single one comes before all of
 * them that do not run yet. An owner with nothing in line starts anew: what has run is not held against anybody. Such
 * newcomers start a little behind each other, so that an endless row of them does not hold up those who wait.
 *
 * Now is, for each priority, the earliest start of all that wait with this priority or a higher one and are not stopped
 * by a limit of their own owner or spec; it never goes back, and is never later for a higher priority than for a lower.
 * While nobody is in line it is the same for all.
 *
 * `fair.lua` holds the same rules on Redis; a test lets both run side by side.
 */

import TinyQueue from 'tinyqueue';
import { classOf, PRIORITIES, type Priority, QUANTUM, rankOf } from './rank.ts';

/** Who enters the line. */
export interface Entry {
  readonly id: string;
  readonly owner: string;
  readonly priority: Priority;
  /** The owner's share against others; default 1. */
  readonly weight?: number;
}

interface Waiting {
  readonly owner: string;
  readonly class: number;
  readonly start: number;
  /** Stopped by a limit of its own: it does not hold virtual time back. */
  stopped: boolean;
}

interface Owner {
  waiting: number;
  next: number;
}

/** How far newcomers start behind each other: 64 of them take as much as one task of somebody who is in line. */
const NEWCOMER_STEP = QUANTUM / 64;

/** How long a task is in virtual time: at least 1, so that order is kept at any weight. */
export function costOf(weight: number): number {
  return Math.max(1, Math.floor(QUANTUM / weight));
}

/** The line's virtual time, in memory. */
export class FairQueue {
  readonly #waiting = new Map<string, Waiting>();
  readonly #owners = new Map<string, Owner>();
  readonly #now: number[] = PRIORITIES.map(() => 0);
  /** Where the next newcomer of each class starts, unless now is later. */
  readonly #next: number[] = PRIORITIES.map(() => 0);
  readonly #heads = PRIORITIES.map(() => new TinyQueue<{ id: string; start: number }>([], byStart));

  /** Puts a task in line; answers its rank. */
  enter({ id, owner, priority, weight = 1 }: Entry): number {
    // With nobody in line all start anew, from the same time.
    if (this.#waiting.size === 0) this.#now.fill(this.virtualTime('low'));
    const own = this.#owners.get(owner);
    const start = own === undefined ? this.#newcomer(priority) : Math.max(this.virtualTime(priority), own.next);
    this.#owners.set(owner, { waiting: (own?.waiting ?? 0) + 1, next: start + costOf(weight) });
    this.#waiting.set(id, { owner, class: classOf(priority), start, stopped: false });
    this.#heads[classOf(priority)]?.push({ id, start });
    return rankOf(priority, start);
  }

  /** A task waits no more: it starts, or has ended. */
  leave(id: string): void {
    const task = this.#waiting.get(id);
    if (task === undefined) return;
    this.#waiting.delete(id);
    const owner = this.#owners.get(task.owner);
    if (owner === undefined) return;
    owner.waiting -= 1;
    if (owner.waiting === 0) this.#owners.delete(task.owner);
  }

  /** A waiting task is stopped by a limit of its owner or spec, or is not any more. */
  setStopped(id: string, stopped: boolean): void {
    const task = this.#waiting.get(id);
    if (task === undefined || task.stopped === stopped) return;
    task.stopped = stopped;
    if (!stopped) this.#heads[task.class]?.push({ id, start: task.start });
  }

  /** Now, for this priority. */
  virtualTime(priority: Priority): number {
    let earliest = Number.POSITIVE_INFINITY;
    let now = 1;
    for (let at = 0; at <= classOf(priority); at += 1) {
      earliest = Math.min(earliest, this.#head(at));
      now = Math.max(now, this.#now[at] ?? 0, Number.isFinite(earliest) ? earliest : 0);
      this.#now[at] = now;
    }
    return now;
  }

  /** Where the first task of an owner starts. */
  #newcomer(priority: Priority): number {
    const start = Math.max(this.virtualTime(priority) - 1, this.#next[classOf(priority)] ?? 0);
    this.#next[classOf(priority)] = start + NEWCOMER_STEP;
    return start;
  }

  /** The earliest start of those that wait in a class; those that have left are forgotten on the way. */
  #head(at: number): number {
    const heads = this.#heads[at];
    for (let head = heads?.peek(); head !== undefined; head = heads?.peek()) {
      const task = this.#waiting.get(head.id);
      if (task?.start === head.start && !task.stopped) return head.start;
      heads?.pop();
    }
    return Number.POSITIVE_INFINITY;
  }
}

function byStart(a: { readonly start: number }, b: { readonly start: number }): number {
  return a.start - b.start;
}
