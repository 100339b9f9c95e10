/** The line of blocked claims, seen from outside the scripts that move it. */

import { type Grant, readGrants } from '../claims/answers.ts';
import type { ClaimNode } from '../claims/claim-set.ts';
import { readNodes } from '../claims/node-list.ts';
import { SignalboxError } from '../errors.ts';
import type { Connection } from '../redis/connect.ts';
import type { Keys } from '../redis/keys.ts';
import { Script } from '../redis/scripts.ts';
import { PRIORITIES } from './rank.ts';

/** A ticket as it stands in Redis. Times in ms since the epoch. */
export interface Ticket {
  readonly id: string;
  readonly kind: 'task' | 'hold';
  readonly state: 'waiting' | 'granted';
  readonly rank: number;
  readonly since: number;
  /** The lock it is filed under; undefined once granted. */
  readonly obstacle: string | undefined;
  /** How often others were served before it. */
  readonly passed: number;
  /** Whether it waited so long that its nodes are kept for it. */
  readonly keeps: boolean;
  readonly nodes: readonly TicketNode[];
}

/** A lock that a ticket or record names. */
export type TicketNode = ClaimNode;

const LEAVE = new Script(new URL('./leave.lua', import.meta.url));
const LIMIT = new Script(new URL('./limit.lua', import.meta.url));
const PAUSE = new Script(new URL('./pause.lua', import.meta.url));

/** Reads tickets and lets them leave. */
export class Line {
  readonly #redis: Connection;
  readonly #keys: Keys;
  readonly #keepAfterMs: number;

  constructor(options: { readonly redis: Connection; readonly keys: Keys; readonly keepAfterMs: number }) {
    this.#redis = options.redis;
    this.#keys = options.keys;
    this.#keepAfterMs = options.keepAfterMs;
  }

  /** Where a ticket stands, or undefined if there is none. */
  async look(ticket: string): Promise<Ticket['state'] | undefined> {
    const state = await this.#redis.hget(this.#keys.key('ticket', ticket), 'state');
    return state === 'waiting' || state === 'granted' ? state : undefined;
  }

  /** Takes a ticket out of the line and serves whoever that lets in. */
  async leave(ticket: string): Promise<Grant[]> {
    const reply = (await LEAVE.run(this.#redis, [this.#keys.key('ticket', ticket)], [this.#keepAfterMs])) as unknown[];
    return readGrants((reply as (string | number)[]).slice(1));
  }

  /** What is limited, by name: see `limits.ts`. */
  async limits(): Promise<Record<string, number>> {
    const hash = await this.#redis.hgetall(this.#keys.all('limits'));
    return Object.fromEntries(Object.entries(hash).map(([name, value]) => [name, Number(value)]));
  }

  /** Sets or, with null, takes away a limit and serves whoever that lets in. Throws STATE for a resource in use. */
  async setLimit(name: string, value: number | null): Promise<void> {
    const args = [name, value ?? '', this.#keepAfterMs];
    const reply = (await LIMIT.run(this.#redis, [this.#keys.all('limits')], args)) as (string | number)[];
    if (reply[0] === 1) return;
    throw new SignalboxError('STATE', `${name} is in use or waited for, so it cannot lose its capacity.`, {
      field: name,
      next: 'See by whom with `signalbox claims`; take it away once they have ended.',
    });
  }

  /** Pauses or resumes the granting of tasks. Returns whether that is a change. */
  async setPaused(paused: boolean): Promise<boolean> {
    const args = [paused ? 1 : 0, this.#keepAfterMs];
    const [changed] = (await PAUSE.run(this.#redis, [this.#keys.all('meta')], args)) as (string | number)[];
    return changed === 1;
  }

  /** Whether the granting of tasks is paused. */
  async isPaused(): Promise<boolean> {
    return (await this.#redis.hexists(this.#keys.all('meta'), 'paused')) === 1;
  }

  /** The start of the first task that waits, or now if none does: all that will be submitted starts later. */
  async virtualTime(): Promise<number> {
    const pipeline = this.#redis.pipeline();
    for (const at of PRIORITIES.keys()) pipeline.zrange(this.#keys.key('waiting', String(at)), '0', '0', 'WITHSCORES');
    pipeline.hmget(this.#keys.all('fair'), ...PRIORITIES.map((_priority, at) => `v:${at}`));
    const replies = ((await pipeline.exec()) ?? []).map(([, reply]) => reply as (string | null)[]);
    const heads = replies.slice(0, -1).flatMap(([, start]) => (start === undefined ? [] : [Number(start)]));
    return heads.length > 0 ? Math.min(...heads) : Math.max(0, ...(replies.at(-1) ?? []).map(Number));
  }

  /** The ids of the first `limit` tickets by rank. */
  async ids(limit: number): Promise<string[]> {
    return await this.#redis.zrange(this.#keys.all('tickets'), '0', String(limit - 1));
  }

  /** All tickets, first in rank first. */
  async tickets(): Promise<Ticket[]> {
    const ids = await this.#redis.zrange(this.#keys.all('tickets'), '0', '-1');
    return await this.read(ids);
  }

  /** The tickets among `ids` that exist. */
  async read(ids: readonly string[]): Promise<Ticket[]> {
    const pipeline = this.#redis.pipeline();
    for (const id of ids) pipeline.hgetall(this.#keys.key('ticket', id)).get(this.#keys.key('wanted', id));
    const replies = (await pipeline.exec()) ?? [];
    return ids.flatMap((id, i) =>
      readTicket(id, replies[2 * i]?.[1] as Record<string, string>, replies[2 * i + 1]?.[1] as string | null),
    );
  }

  /** Tickets that were granted more than `ageMs` ago and not taken up: somebody died between grant and wake. */
  async leftovers(ageMs: number): Promise<Grant[]> {
    const [seconds, micros] = (await this.#redis.time()) as unknown as [string, string];
    const before = Number(seconds) * 1_000 + Math.floor(Number(micros) / 1_000) - ageMs;
    const ids = await this.#redis.zrangebyscore(this.#keys.all('granted'), '-inf', String(before));
    return (await this.read(ids)).map(({ id, kind }) => ({ ticket: id, kind }));
  }
}

function readTicket(id: string, fields: Record<string, string>, nodes: string | null): Ticket[] {
  const { rank, since, state, kind, under, passed, keeps } = fields;
  if (rank === undefined || nodes === null) return [];
  return [
    {
      id,
      kind: kind === 'hold' ? 'hold' : 'task',
      state: state === 'granted' ? 'granted' : 'waiting',
      rank: Number(rank),
      since: Number(since),
      obstacle: under,
      passed: Number(passed ?? 0),
      keeps: keeps === '1',
      nodes: readNodes(nodes),
    },
  ];
}
