/** What is held and who waits at one moment, indexed by lock node: who is in whose way, and who comes first. Pure. */

import { foldersAbove, isExplicit, parseNode } from '../claims/claim-set.ts';
import { conflicts } from '../claims/modes.ts';
import type { Ticket, TicketNode } from '../waiting/line.ts';
import { type ClaimMode, claimMode, type Holder, heldResource } from './held.ts';

/**
 * Who has a resource. `exec`: a claim held by a program, not by a task; `merged`: kept until the branch of a task that
 * has ended is merged; `reserved`: granted to one that is about to run; `kept`: for one that waited too long.
 */
export interface BlockingHolder {
  readonly kind: 'run' | 'exec' | 'merged' | 'reserved' | 'kept';
  readonly taskId: string | null;
  readonly runnerId: string | null;
  readonly workerId: string | null;
  readonly since: string | null;
}

/** One thing that a task waits for. */
export interface Blocker {
  readonly resource: string;
  readonly mode: ClaimMode;
  readonly holder: BlockingHolder;
}

/** Who waits for what. Both ids are those of tasks, or of programs that wait or hold. */
export interface ChainLink {
  readonly taskId: string;
  readonly resource: string;
  readonly mode: ClaimMode;
  readonly kind: BlockingHolder['kind'];
  readonly holderTaskId: string | null;
  readonly since: string | null;
}

/** A ticket with all that decides what is in its way. */
export interface WaitingTicket extends Ticket {
  /** Whether it runs beside holders of its paths. */
  readonly proceeds: boolean;
  /** Branch nodes whose paths, kept for a merge, are not in its way. */
  readonly exempt: readonly string[];
}

/** What is in Redis at one moment. Tickets come in the order of the line. */
export interface World {
  readonly holders: readonly Holder[];
  readonly tickets: readonly WaitingTicket[];
  /** How many may have a counted thing, by `kind:name`. */
  readonly limits: ReadonlyMap<string, number>;
  readonly isPaused: boolean;
}

/** How many links a chain has at most. */
const MAX_LINKS = 20;

/** A holder, or a ticket that has something already: a reservation, or nodes that are kept for it. */
interface Party {
  readonly holder: BlockingHolder;
  readonly nodes: readonly TicketNode[];
  /** The place in line of one that has a keep, which only stops those that come later. */
  readonly keptAt?: number;
  readonly growth?: number;
  /** The branch that its paths are kept for. */
  readonly branch?: string;
}

/** Who asks: a ticket, or a run that asked for more. */
interface Want {
  readonly nodes: readonly TicketNode[];
  /** Place in line; a growth passes all that wait. */
  readonly place: number;
  /** Whether somebody is not in its way, whatever he has at a node. */
  readonly passes: (party: Party, node: string) => boolean;
}

interface Collision {
  /** The node where the two exclude each other. */
  readonly at: string;
  readonly blocker: Blocker;
}

/** How many may hold a counted thing; infinite for what is not limited. */
function capacityOf(node: string, limits: ReadonlyMap<string, number>): number {
  const name = node.slice(1);
  // A resource exists only by its capacity.
  return limits.get(name) ?? (name.startsWith('resource:') ? 0 : Number.POSITIVE_INFINITY);
}

/** Whether a node is of a counted thing, which excludes by number. */
export function isCounted(node: string): boolean {
  return node.startsWith('#');
}

/** A world, indexed. */
export class Standing {
  readonly #world: World;
  readonly #had = new Map<string, { readonly party: Party; readonly node: TicketNode }[]>();
  readonly #wanted = new Map<string, { readonly place: number; readonly node: TicketNode }[]>();
  readonly #place = new Map<string, number>();
  readonly #growing = new Map<string, Holder>();

  constructor(world: World) {
    this.#world = world;
    const { holders, tickets } = world;
    for (const party of [...holders.map(partyOfHolder), ...tickets.flatMap(partyOfTicket)]) {
      for (const node of party.nodes) listAt(this.#had, node.name).push({ party, node });
    }
    for (const [place, { id, nodes }] of tickets.entries()) {
      this.#place.set(id, place);
      for (const node of nodes) listAt(this.#wanted, node.name).push({ place, node });
    }
    for (const holder of holders) if (holder.growth !== null) this.#growing.set(holder.id, holder);
  }

  /** The ticket of a task or program. */
  ticket(id: string): WaitingTicket | undefined {
    return this.#world.tickets[this.#place.get(id) ?? -1];
  }

  /** Everything that excludes this ticket now, what it is filed under first. */
  blockersOf(ticket: WaitingTicket): Blocker[] {
    const collisions = this.#collisions(this.#wantOf(ticket));
    return distinct([
      ...collisions.filter(({ at }) => at === ticket.obstacle),
      ...collisions.filter(({ at }) => at !== ticket.obstacle),
    ]);
  }

  /** What a run waits for that asked for more. */
  growthBlockersOf(runnerId: string): Blocker[] {
    const growth = this.#growing.get(runnerId)?.growth ?? undefined;
    if (growth === undefined) return [];
    const passes = ({ holder, growth: later }: Party): boolean =>
      holder.runnerId === runnerId ||
      // Running beats reserved and kept.
      holder.kind === 'reserved' ||
      holder.kind === 'kept' ||
      (later !== undefined && later > growth.number);
    return distinct(this.#collisions({ nodes: growth.wanted, place: -1, passes }));
  }

  /** The tickets before this one that want any of what it waits for, in the order of the line. */
  aheadOf(ticket: WaitingTicket): WaitingTicket[] {
    if (ticket.obstacle === undefined) return [];
    const want = this.#wantOf(ticket);
    const names = new Set([ticket.obstacle, ...this.#collisions(want).map(({ at }) => at)]);
    const places = new Set([...names].flatMap((name) => this.#wanters(name)).filter((place) => place < want.place));
    return [...places].sort((a, b) => a - b).flatMap((place) => this.#world.tickets[place] ?? []);
  }

  /**
   * What this ticket waits for; what the holder of that waits for in turn, if it waits as well; and so for those ahead
   * of this ticket. Each waiter comes once, so a cycle would end the chain.
   */
  chainOf(ticket: WaitingTicket): ChainLink[] {
    const links: ChainLink[] = [];
    const next = [ticket.id, ...this.aheadOf(ticket).map(({ id }) => id)];
    const seen = new Set<string>();
    while (next.length > 0 && links.length < MAX_LINKS) {
      const waiter = next.shift() ?? '';
      const first = seen.has(waiter) ? undefined : this.#waitsFor(waiter);
      seen.add(waiter);
      if (first === undefined) continue;
      const { kind, taskId, runnerId, since } = first.holder;
      const name = this.#growing.get(waiter)?.taskId ?? waiter;
      const holderTaskId = taskId ?? runnerId;
      links.push({ taskId: name, resource: first.resource, mode: first.mode, kind, holderTaskId, since });
      // What its holder waits for comes before the others that are ahead. A run waits by its growth, a ticket as itself.
      const turn = kind === 'run' ? runnerId : kind === 'kept' ? holderTaskId : null;
      if (turn !== null) next.unshift(turn);
    }
    return links;
  }

  #waitsFor(id: string): Blocker | undefined {
    const ticket = this.ticket(id);
    if (ticket === undefined) return this.growthBlockersOf(id)[0];
    return ticket.state === 'waiting' ? this.blockersOf(ticket)[0] : undefined;
  }

  #wantOf(ticket: WaitingTicket): Want {
    const passes = ({ holder: { kind, taskId, runnerId }, branch }: Party, node: string): boolean =>
      // A run of the same task is not its own: it waits for that.
      ((kind === 'reserved' || kind === 'kept') && (taskId ?? runnerId) === ticket.id) ||
      (branch !== undefined && ticket.exempt.includes(branch)) ||
      (ticket.proceeds && parseNode(node).kind === 'path');
    return { nodes: ticket.nodes, place: this.#place.get(ticket.id) ?? this.#world.tickets.length, passes };
  }

  #collisions({ nodes, place, passes }: Want): Collision[] {
    return nodes.flatMap((mine) => {
      const others = (this.#had.get(mine.name) ?? []).filter(
        ({ party }) => !passes(party, mine.name) && (party.keptAt === undefined || party.keptAt < place),
      );
      const counted = isCounted(mine.name);
      if (counted && others.length < capacityOf(mine.name, this.#world.limits)) return [];
      return others
        .filter(({ node }) => counted || conflicts(node.mode, mine.mode))
        .map(({ party, node }) => {
          const shown = shownOf(node, party.nodes);
          const blocker = { ...resourceAndMode(shown), holder: party.holder };
          return { at: mine.name, blocker };
        });
    });
  }

  /** The places of those who want a node: by name, or as a part of a folder that is wanted as a whole. */
  #wanters(name: string): number[] {
    const { kind, value } = parseNode(name);
    const prefix = name.slice(0, name.length - value.length);
    const above = kind === 'path' ? foldersAbove(value).map((folder) => prefix + folder) : [];
    return [
      ...(this.#wanted.get(name) ?? []),
      ...above.flatMap((folder) => (this.#wanted.get(folder) ?? []).filter(({ node }) => isExplicit(node))),
    ].map(({ place }) => place);
  }
}

function partyOfHolder({ id, kind, taskId, workerId, since, nodes, growth, branch }: Holder): Party {
  // What is kept for a merge has no runner any more.
  const runner = kind === 'merged' ? { runnerId: null, workerId: null } : { runnerId: id, workerId };
  return {
    holder: { kind: kind === 'hold' ? 'exec' : kind, taskId, ...runner, since: new Date(since).toISOString() },
    nodes,
    ...(growth === null ? {} : { growth: growth.number }),
    ...(branch === null ? {} : { branch }),
  };
}

function partyOfTicket({ id, kind, state, keeps, nodes }: Ticket, place: number): Party[] {
  const who = kind === 'task' ? { taskId: id, runnerId: null } : { taskId: null, runnerId: id };
  const rest = { ...who, workerId: null, since: null };
  if (state === 'granted') return [{ holder: { kind: 'reserved', ...rest }, nodes }];
  return keeps ? [{ holder: { kind: 'kept', ...rest }, nodes, keptAt: place }] : [];
}

/** What a holder asked for at this node, or below it. */
function shownOf(met: TicketNode, theirs: readonly TicketNode[]): TicketNode {
  if (isExplicit(met) || isCounted(met.name)) return met;
  const below = `${met.name}${met.name.endsWith(':') ? '' : '/'}`;
  return theirs.find((node) => node.name.startsWith(below) && isExplicit(node)) ?? met;
}

function resourceAndMode(node: TicketNode): Pick<Blocker, 'resource' | 'mode'> {
  return { resource: heldResource(node).resource, mode: claimMode(node.mode) };
}

function distinct(collisions: readonly Collision[]): Blocker[] {
  const found = new Map<string, Blocker>();
  for (const { blocker } of collisions) {
    const { resource, holder } = blocker;
    const key = JSON.stringify([resource, holder.kind, holder.runnerId, holder.taskId]);
    if (!found.has(key)) found.set(key, blocker);
  }
  return [...found.values()];
}

function listAt<T>(map: Map<string, T[]>, key: string): T[] {
  const list = map.get(key) ?? [];
  map.set(key, list);
  return list;
}
