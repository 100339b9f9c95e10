/**
 * The lock nodes in memory: who holds what in which mode, and whether one more may. `nodes.lua` holds the same rules on
 * Redis; a test lets both run side by side.
 */

import { conflicts, MODES, type NodeMode } from '../claims/modes.ts';
import { Ranked, type Want } from './want.ts';

const NODE_MODES: readonly NodeMode[] = [...MODES, 'slot'];
const SLOT = NODE_MODES.indexOf('slot');
const WHOLE = NODE_MODES.indexOf('X');
const ANY = NODE_MODES.indexOf('IS');
/** For each mode those that exclude it, by their place in `NODE_MODES`. */
const EXCLUDED_BY = NODE_MODES.map((mode) => NODE_MODES.flatMap((other, at) => (conflicts(mode, other) ? [at] : [])));

/** A node in one mode: one object, shared by all who want it. */
export interface Need {
  readonly node: LockNode;
  /** Its place among the modes. */
  readonly mode: number;
}

/** One lock. */
export class LockNode {
  readonly name: string;
  readonly isBranch: boolean;
  /** How many may hold it; infinite for what is not counted. */
  readonly capacity: number;
  /** Whether it is a quota of an owner or a spec. */
  readonly isOwnLimit: boolean;
  /** How many claims name it. */
  users = 0;
  readonly #held = NODE_MODES.map(() => 0);
  readonly #needs: (Need | undefined)[] = NODE_MODES.map(() => undefined);
  /** Those among the holders that only have it reserved. */
  #reserved: Map<Want, number> | undefined;
  #keeps: Map<number, Ranked> | undefined;
  #line: Ranked | undefined;

  constructor(name: string, capacity: number) {
    this.name = name;
    this.capacity = capacity;
    this.isBranch = name.includes('#branch:');
    this.isOwnLimit = name.startsWith('#owner:') || name.startsWith('#spec:');
  }

  /** The node in a mode. */
  need(mode: NodeMode): Need {
    const at = NODE_MODES.indexOf(mode);
    const need = this.#needs[at] ?? { node: this, mode: at };
    this.#needs[at] = need;
    return need;
  }

  /** Those filed under it. */
  get line(): Ranked {
    this.#line ??= new Ranked();
    return this.#line;
  }

  get hasLine(): boolean {
    return this.#line !== undefined && this.#line.size > 0;
  }

  hold(mode: number): void {
    this.#held[mode] = (this.#held[mode] ?? 0) + 1;
  }

  drop(mode: number): void {
    this.#held[mode] = (this.#held[mode] ?? 0) - 1;
  }

  /** Notes that a holder only has it reserved, or, without a mode, not any more. */
  setReserved(want: Want, mode: number | undefined): void {
    if (mode === undefined) {
      this.#reserved?.delete(want);
    } else {
      this.#reserved ??= new Map();
      this.#reserved.set(want, mode);
    }
  }

  keep(want: Want, mode: number): void {
    this.#keeps ??= new Map();
    let keeps = this.#keeps.get(mode);
    if (keeps === undefined) this.#keeps.set(mode, (keeps = new Ranked()));
    keeps.add(want);
  }

  dropKeep(want: Want, mode: number): void {
    this.#keeps?.get(mode)?.delete(want);
  }

  /** Whether `want` cannot have it. `revoked`, where given, collects reservations that give way. */
  refuses(want: Want, mode: number, revoked?: Set<Want>): boolean {
    if (mode === SLOT) return this.#slotsAreTaken(want.rank);
    if (want.policy === 'proceed' && !this.isBranch) return false;
    let inTheWay = 0;
    for (const other of EXCLUDED_BY[mode] ?? []) inTheWay += this.#held[other] ?? 0;
    if (inTheWay > 0 && (revoked === undefined || !this.#giveWay(want, { mode, inTheWay, revoked }))) return true;
    return this.#keeps !== undefined && this.#isKept(mode, want.rank);
  }

  /** Whether nobody in its line from `head` on can have it. */
  isClosed(head: Want): boolean {
    if (this.name.startsWith('#')) return this.#slotsAreTaken(head.rank);
    return (this.#held[WHOLE] ?? 0) > 0 || (this.#keeps !== undefined && this.#isKept(ANY, head.rank));
  }

  /** A reservation gives way to a higher class; a run does not, and then none does. */
  #giveWay(
    want: Want,
    { mode, inTheWay, revoked }: { readonly mode: number; readonly inTheWay: number; readonly revoked: Set<Want> },
  ): boolean {
    let weaker = 0;
    for (const [other, held] of this.#reserved ?? []) {
      if (other.class <= want.class || !EXCLUDED_BY[mode]?.includes(held)) continue;
      revoked.add(other);
      weaker += 1;
    }
    return weaker === inTheWay;
  }

  /** Whether one with an earlier rank keeps it in a mode that excludes this one. */
  #isKept(mode: number, rank: number): boolean {
    return EXCLUDED_BY[mode]?.some((other) => (this.#keeps?.get(other)?.rankAt(0) ?? rank) < rank) === true;
  }

  /** A slot is kept from all that rank later. */
  #slotsAreTaken(rank: number): boolean {
    const free = this.capacity - (this.#held[SLOT] ?? 0);
    if (free <= 0) return true;
    const keeps = this.#keeps?.get(SLOT);
    return keeps !== undefined && keeps.size >= free && keeps.rankAt(free - 1) < rank;
  }
}

/** All nodes that somebody names; the others take no room. */
export class LockNodes {
  readonly #limits: ReadonlyMap<string, number>;
  readonly #byName = new Map<string, LockNode>();

  /** `limits`: how many may hold what is counted, by `owner:NAME`, `spec:NAME` or `resource:NAME`. */
  constructor(limits: ReadonlyMap<string, number>) {
    this.#limits = limits;
  }

  /** What a claim needs, counted as one more that names these nodes. */
  name(nodes: readonly { readonly name: string; readonly mode: NodeMode }[]): Need[] {
    return nodes.map(({ name, mode }) => {
      let node = this.#byName.get(name);
      if (node === undefined) this.#byName.set(name, (node = new LockNode(name, this.#capacityOf(name))));
      node.users += 1;
      return node.need(mode);
    });
  }

  /** A claim is over. */
  forget({ needs }: Want): void {
    for (const { node } of needs) {
      node.users -= 1;
      if (node.users === 0) this.#byName.delete(node.name);
    }
  }

  /** A named resource that nobody has given a capacity has none; without a quota there is no limit. */
  #capacityOf(name: string): number {
    if (!name.startsWith('#')) return Number.POSITIVE_INFINITY;
    return this.#limits.get(name.slice(1)) ?? (name.startsWith('#resource:') ? 0 : Number.POSITIVE_INFINITY);
  }
}
