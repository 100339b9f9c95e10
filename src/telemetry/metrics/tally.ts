/**
 * What a worker has counted since it last wrote it down: increments, each under the field that it has in Redis. Such a
 * field is the metric's name and the values of its labels, joined by `|`; a histogram has one for each bucket
 * (`le=<bound>`, each observation in one of them only) and one for the `sum`.
 */

import { type CounterName, definitionOf, type HistogramName, OWNER_METRIC } from './definitions.ts';

/** Increments by field. */
export type Increments = ReadonlyMap<string, number>;

/** Increments of one owner's histogram, by the end of the field. */
export interface OwnerIncrements {
  readonly observations: number;
  readonly parts: ReadonlyMap<string, number>;
}

/** What was counted. */
export interface Counted {
  readonly fields: Increments;
  readonly owners: ReadonlyMap<string, OwnerIncrements>;
}

/** The ends of a histogram's fields. */
export function histogramParts(name: HistogramName): string[] {
  return [...(definitionOf(name).buckets ?? []).map((bound) => `le=${bound}`), 'le=+Inf', 'sum'];
}

/** The counters of one process. */
export class Tally {
  #fields = new Map<string, number>();
  #owners = new Map<string, { observations: number; parts: Map<string, number> }>();

  /** Counts one more. */
  count(name: CounterName, labels: readonly string[] = []): void {
    add(this.#fields, [name, ...labels].join('|'), 1);
  }

  /** Notes a duration given in ms. */
  observe(name: HistogramName, ms: number, labels: readonly string[] = []): void {
    for (const [part, by] of partsOf(name, ms)) add(this.#fields, [name, ...labels, part].join('|'), by);
  }

  /** Notes a duration given in ms under its owner, who may or may not get a series. */
  observeOwner(owner: string, ms: number): void {
    const own = this.#owners.get(owner) ?? { observations: 0, parts: new Map<string, number>() };
    this.#owners.set(owner, own);
    own.observations += 1;
    for (const [part, by] of partsOf(OWNER_METRIC, ms)) add(own.parts, part, by);
  }

  /** Hands out all that was counted and begins anew. */
  take(): Counted {
    const counted = { fields: this.#fields, owners: this.#owners };
    this.#fields = new Map();
    this.#owners = new Map();
    return counted;
  }

  /** Takes back what could not be written down. */
  putBack({ fields, owners }: Counted): void {
    for (const [field, by] of fields) add(this.#fields, field, by);
    for (const [owner, { observations, parts }] of owners) {
      const own = this.#owners.get(owner) ?? { observations: 0, parts: new Map<string, number>() };
      this.#owners.set(owner, own);
      own.observations += observations;
      for (const [part, by] of parts) add(own.parts, part, by);
    }
  }
}

function partsOf(name: HistogramName, ms: number): (readonly [string, number])[] {
  const seconds = Math.max(0, ms) / 1_000;
  const bound = definitionOf(name).buckets?.find((one) => seconds <= one);
  return [[`le=${bound ?? '+Inf'}`, 1], ...(seconds === 0 ? [] : [['sum', seconds] as const])];
}

function add(to: Map<string, number>, field: string, by: number): void {
  to.set(field, (to.get(field) ?? 0) + by);
}
