/**
 * The line in memory: who holds what, who waits under which obstacle, who is served when something comes free. The
 * rules of `acquire.lua`, `release.lua` and `line.lua`, for the plan and the simulator; a test lets both run side by
 * side.
 *
 * Invariant: who waits is filed under a node that it cannot have now. Only what frees this node can change that, and
 * whatever frees a node serves its line.
 */

import type { NodeMode } from '../claims/modes.ts';
import { type LockNode, LockNodes } from './lock-node.ts';
import { byRank, Want, type WantOptions } from './want.ts';

/** How the line is set up. */
export interface SchedulerOptions {
  /** How long one may be passed by others before its nodes are kept for it, in ms. */
  readonly keepAfterMs: number;
  /** How many may hold what is counted, by `owner:NAME`, `spec:NAME` or `resource:NAME`. */
  readonly limits?: ReadonlyMap<string, number>;
  /** Told of those that begin or cease to wait for a limit of their own owner or spec. */
  readonly onStopped?: (want: Want, stopped: boolean) => void;
}

/** What became of a request. `granted`: others that the same step served. */
export type Acquired =
  | { readonly kind: 'held'; readonly granted: readonly Want[] }
  | { readonly kind: 'blocked' | 'refused'; readonly obstacle: string; readonly granted: readonly Want[] };

interface OpenLine {
  readonly node: LockNode;
  /** The last one that was looked at and stays. */
  passed: Want | undefined;
}

/** The line and the nodes. Times are in ms and never go back. */
export class Scheduler {
  readonly #keepAfterMs: number;
  readonly #onStopped: (want: Want, stopped: boolean) => void;
  readonly #nodes: LockNodes;

  constructor({ keepAfterMs, limits = new Map(), onStopped = () => {} }: SchedulerOptions) {
    this.#keepAfterMs = keepAfterMs;
    this.#onStopped = onStopped;
    this.#nodes = new LockNodes(limits);
  }

  /** Makes a claim that can be asked for. Nodes are looked at in this order. */
  want({
    nodes,
    ...options
  }: Omit<WantOptions, 'needs'> & {
    readonly nodes: readonly { readonly name: string; readonly mode: NodeMode }[];
  }): Want {
    return new Want({ ...options, needs: this.#nodes.name(nodes) });
  }

  /** Takes all or nothing; who cannot have all is filed, or refused if its policy says so. */
  acquire(want: Want, now: number): Acquired {
    const { state, keeps } = want;
    const freed = this.#withdraw(want);
    const revoked = new Set<Want>();
    const obstacle = state === 'granted' ? undefined : obstacleOf(want, revoked);
    if (obstacle === undefined) {
      want.state = 'held';
      for (const { node, mode } of want.needs) node.hold(mode);
      return { kind: 'held', granted: this.#serve(this.#putBack([...revoked]), now) };
    }
    // Counted things are waited for whatever the policy.
    if (want.policy === 'refuse' && !obstacle.name.startsWith('#')) {
      this.#end(want);
      return { kind: 'refused', obstacle: obstacle.name, granted: this.#serve(freed, now) };
    }
    if (state === 'new') want.since = now;
    this.#fileUnder(want, obstacle);
    if (keeps) keepFor(want);
    return { kind: 'blocked', obstacle: obstacle.name, granted: this.#serve(freed, now) };
  }

  /** Gives a held claim back. Returns who is served. */
  release(want: Want, now: number): Want[] {
    if (want.state !== 'held') return [];
    for (const { node, mode } of want.needs) node.drop(mode);
    const freed = nodesOf(want);
    this.#end(want);
    return this.#serve(freed, now);
  }

  /** Takes one that waits or is granted out of the line for good. Returns who is served. */
  leave(want: Want, now: number): Want[] {
    if (want.state !== 'waiting' && want.state !== 'granted') return [];
    const freed = this.#withdraw(want);
    this.#end(want);
    return this.#serve(freed, now);
  }

  /** Takes it out of the line, gives back what is reserved or kept in its name. Returns the nodes that came free. */
  #withdraw(want: Want): LockNode[] {
    let isFree = want.keeps;
    if (want.under !== undefined) this.#unfile(want);
    if (want.keeps) dropKeeps(want);
    if (want.state === 'granted') {
      isFree = true;
      for (const { node, mode } of want.needs) {
        node.drop(mode);
        node.setReserved(want, undefined);
      }
    }
    return isFree ? nodesOf(want) : [];
  }

  #unfile(want: Want): void {
    want.under?.line.delete(want);
    if (want.under?.isOwnLimit === true) this.#onStopped(want, false);
    want.under = undefined;
  }

  #fileUnder(want: Want, node: LockNode): void {
    if (want.under !== undefined) this.#unfile(want);
    node.line.add(want);
    want.under = node;
    want.state = 'waiting';
    if (node.isOwnLimit) this.#onStopped(want, true);
  }

  #grant(want: Want): void {
    this.#unfile(want);
    if (want.keeps) dropKeeps(want);
    want.state = 'granted';
    for (const { node, mode } of want.needs) {
      node.hold(mode);
      node.setReserved(want, mode);
    }
  }

  /** First fit, bounded: who was passed by for too long has its nodes kept as they come free. */
  #passOver(want: Want, now: number): void {
    want.passed += 1;
    // A keep that cannot be met would hold others up for nothing.
    const canBeMet = want.needs.every(({ node }) => node.capacity > 0);
    if (!want.keeps && now - want.since >= this.#keepAfterMs && canBeMet) keepFor(want);
  }

  /**
   * Serves the lines of freed nodes: in order of rank, everyone who can now have everything gets a reservation, the
   * others are filed under what blocks them now; ends when what was freed is taken.
   */
  #serve(freed: readonly LockNode[], now: number): Want[] {
    const granted: Want[] = [];
    const lines: OpenLine[] = [...new Set(freed)]
      .filter((node) => node.hasLine)
      .map((node) => ({ node, passed: undefined }));
    for (let head = nextIn(lines); head !== undefined; head = nextIn(lines)) {
      const { want, line } = head;
      const obstacle = obstacleOf(want);
      if (obstacle === undefined) {
        this.#grant(want);
        granted.push(want);
        continue;
      }
      if (obstacle === line.node) line.passed = want;
      else this.#fileUnder(want, obstacle);
      this.#passOver(want, now);
    }
    return granted;
  }

  /** Takes reservations back: they go in line again, once what they give way to is in place. Returns what came free. */
  #putBack(wants: readonly Want[]): LockNode[] {
    const freed = wants.flatMap((want) => this.#withdraw(want));
    for (const want of wants) {
      // With nothing in its way it stands under what it had, whose line is served next.
      const under = obstacleOf(want) ?? want.needs[0]?.node;
      if (under !== undefined) this.#fileUnder(want, under);
    }
    return freed;
  }

  #end(want: Want): void {
    want.state = 'gone';
    this.#nodes.forget(want);
  }
}

/** The first node that it cannot have. `revoked`, where given, collects reservations that give way to it. */
function obstacleOf(want: Want, revoked?: Set<Want>): LockNode | undefined {
  return want.needs.find(({ node, mode }) => node.refuses(want, mode, revoked))?.node;
}

/** The next one by rank among the open lines, with the line it stands in. Lines that are closed are dropped. */
function nextIn(lines: OpenLine[]): { readonly want: Want; readonly line: OpenLine } | undefined {
  let best: { readonly want: Want; readonly line: OpenLine } | undefined;
  for (let i = lines.length - 1; i >= 0; i -= 1) {
    const line = lines[i];
    const want = line?.node.line.next(line.passed);
    if (line === undefined || want === undefined || line.node.isClosed(want)) lines.splice(i, 1);
    else if (best === undefined || byRank(want, best.want) < 0) best = { want, line };
  }
  return best;
}

function nodesOf({ needs }: Want): LockNode[] {
  return needs.map(({ node }) => node);
}

function keepFor(want: Want): void {
  want.keeps = true;
  for (const { node, mode } of want.needs) node.keep(want, mode);
}

function dropKeeps(want: Want): void {
  want.keeps = false;
  for (const { node, mode } of want.needs) node.dropKeep(want, mode);
}
