/** Who wants what, in memory: the counterpart of a ticket and of a record in Redis. */

import type { LockNode, Need } from './lock-node.ts';

/** What is asked for, and how. */
export interface WantOptions {
  /** Of two with the same rank the smaller id is first: the older submission. */
  readonly id: number;
  readonly rank: number;
  /** The priority's class: 0 is the highest. */
  readonly class: number;
  /** `refuse`: it does not wait for paths and branches. `proceed`: it runs beside holders of its paths. */
  readonly policy?: 'wait' | 'refuse' | 'proceed';
  readonly needs: readonly Need[];
}

/**
 * One claim from its first ask to its release. It is `new` until it asks; `held` if it gets all; else `waiting`, filed
 * under one node that it cannot have, then `granted`, with all reserved until it asks again; `gone` at the end.
 */
export class Want {
  readonly id: number;
  readonly rank: number;
  readonly class: number;
  readonly policy: 'wait' | 'refuse' | 'proceed';
  readonly needs: readonly Need[];
  state: 'new' | 'waiting' | 'granted' | 'held' | 'gone' = 'new';
  /** When it got in line. */
  since = 0;
  /** The node that it is filed under. */
  under: LockNode | undefined = undefined;
  /** How often others were served before it. */
  passed = 0;
  /** Whether it waited so long that its nodes are kept for it. */
  keeps = false;

  constructor({ id, rank, class: own, policy = 'wait', needs }: WantOptions) {
    this.id = id;
    this.rank = rank;
    this.class = own;
    this.policy = policy;
    this.needs = needs;
  }
}

/** The order of the line. */
export function byRank(a: Pick<Want, 'id' | 'rank'>, b: Pick<Want, 'id' | 'rank'>): number {
  return a.rank - b.rank || a.id - b.id;
}

/** A line may hold a million; an array of them all would be moved at each change. */
const CHUNK = 512;

/** Wants in order of rank: sorted chunks, none of them empty. */
export class Ranked {
  readonly #chunks: Want[][] = [];
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** Adds one that is not in here. */
  add(want: Want): void {
    const at = Math.min(this.#chunkOf(want), Math.max(0, this.#chunks.length - 1));
    const chunk = this.#chunks[at] ?? [];
    if (chunk.length === 0) this.#chunks.push(chunk);
    chunk.splice(place(chunk, want), 0, want);
    if (chunk.length > CHUNK) this.#chunks.splice(at + 1, 0, chunk.splice(CHUNK / 2));
    this.#size += 1;
  }

  delete(want: Want): void {
    const at = this.#chunkOf(want);
    const chunk = this.#chunks[at] ?? [];
    const index = place(chunk, want);
    if (chunk[index] !== want) return;
    chunk.splice(index, 1);
    if (chunk.length === 0) this.#chunks.splice(at, 1);
    this.#size -= 1;
  }

  /** The first one, or the first one after `want`, which need not be in here. */
  next(want?: Want): Want | undefined {
    if (want === undefined) return this.#chunks[0]?.[0];
    const at = this.#chunkOf(want);
    const chunk = this.#chunks[at] ?? [];
    const index = place(chunk, want);
    return chunk[chunk[index] === want ? index + 1 : index] ?? this.#chunks[at + 1]?.[0];
  }

  /** The rank of the one that has `count` others before it; infinite when there are not so many. */
  rankAt(count: number): number {
    let before = count;
    for (const chunk of this.#chunks) {
      const found = chunk[before];
      if (found !== undefined) return found.rank;
      before -= chunk.length;
    }
    return Number.POSITIVE_INFINITY;
  }

  /** Where the chunk is that has it or should have it: the first that does not end before it. */
  #chunkOf(want: Want): number {
    return firstIndex(this.#chunks, (chunk) => byRank(chunk.at(-1) ?? want, want) >= 0);
  }
}

/** Where it is or should be. */
function place(chunk: readonly Want[], want: Want): number {
  return firstIndex(chunk, (other) => byRank(other, want) >= 0);
}

/** The first index whose value passes a test that all after it pass too; the length if there is none. */
function firstIndex<T>(values: readonly T[], passes: (value: T) => boolean): number {
  let from = 0;
  let to = values.length;
  while (from < to) {
    const middle = (from + to) >> 1;
    if (passes(values[middle] as T)) to = middle;
    else from = middle + 1;
  }
  return from;
}
