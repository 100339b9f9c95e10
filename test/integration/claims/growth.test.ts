/**
 * Growth against the rules: random runs take more while they run, wait, give up and start again, under a cap, with
 * reservations and keeps. After every step the structures in Redis are compared with what `modes.ts` says.
 */

import fc from 'fast-check';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Grown } from '../../../src/claims/answers.ts';
import { claimSet } from '../../../src/claims/claim-set.ts';
import { type HeldLock, Locker } from '../../../src/claims/locker.ts';
import { conflicts } from '../../../src/claims/modes.ts';
import { readNodes } from '../../../src/claims/node-list.ts';
import { queueKeys } from '../../../src/redis/keys.ts';
import { Line, type TicketNode } from '../../../src/waiting/line.ts';
import { classOf, rankOf } from '../../../src/waiting/rank.ts';
import { freshQueueName, testRedisUrl } from '../../support/redis.ts';

let redis: Redis;
beforeAll(() => {
  redis = new Redis(testRedisUrl());
});
afterAll(async () => {
  await redis.quit();
});

const repoKey = 'git.example.com/acme/app';
const PATHS = ['a', 'b', 'c', 'd/x', 'd/y', 'd', '**'];
/** After so many yields a run claims the whole repository, as `settle.ts` does. */
const MAX_YIELDS = 3;

/** A task as a worker would run it, one step at a time. */
class Actor {
  readonly id: string;
  state: 'waiting' | 'running' | 'growing' | 'done' = 'waiting';
  write: string[];
  wanted: string[] = [];
  yields = 0;
  runs = 0;
  lock: HeldLock | undefined;
  readonly #age: number;
  readonly #fleet: Fleet;

  constructor(fleet: Fleet, age: number, write: string[]) {
    this.#fleet = fleet;
    this.#age = age;
    this.id = `t${String(age).padStart(3, '0')}`;
    this.write = write;
  }

  get holder(): string {
    return `r-${this.id}-${this.runs}`;
  }

  async ask(): Promise<void> {
    this.runs += 1;
    const got = await this.#fleet.locker.acquire({
      holder: this.holder,
      kind: 'run',
      ticket: this.id,
      worker: 'w',
      age: this.#age,
      rank: rankOf('normal', this.#age),
      class: classOf('normal'),
      policy: 'wait',
      nodes: claimSet({ repoKey, write: this.write, read: [] }),
    });
    if (got.kind !== 'held') return;
    this.lock = got.lock;
    this.state = 'running';
  }

  /** Asks for more, or again for what it waits for. */
  async grow(path?: string): Promise<Grown['kind']> {
    if (this.lock === undefined) throw new Error('it does not run');
    if (path !== undefined) this.wanted = [...this.write, path];
    const nodes = claimSet({ repoKey, write: this.wanted, read: [] });
    const grown = await this.#fleet.locker.grow(this.lock, { nodes, mayWait: true, isLanding: false });
    if (grown.kind === 'grown') {
      this.lock = this.#fleet.locker.widened(this.lock, grown.names);
      this.write = this.wanted;
      this.state = 'running';
    } else if (grown.kind === 'waiting') {
      this.state = 'growing';
    } else {
      await this.#giveUp();
    }
    return grown.kind;
  }

  async end(): Promise<void> {
    if (this.lock === undefined) throw new Error('it does not run');
    expect(await this.#fleet.locker.renew(this.lock)).toBe('renewed');
    await this.#fleet.locker.release(this.lock);
    this.lock = undefined;
    this.state = 'done';
  }

  async #giveUp(): Promise<void> {
    this.yields += 1;
    this.write = this.yields > MAX_YIELDS ? ['**'] : this.wanted;
    if (this.lock !== undefined) await this.#fleet.locker.release(this.lock);
    this.lock = undefined;
    this.state = 'waiting';
    await this.ask();
  }
}

/** Actors on one queue, at most `cap` of them running. */
class Fleet {
  readonly keys = queueKeys(freshQueueName());
  readonly locker: Locker;
  readonly line: Line;
  readonly actors: Actor[] = [];
  readonly #cap: number;

  constructor(cap: number, keepAfterMs: number) {
    this.#cap = cap;
    this.locker = new Locker({ redis, keys: this.keys, leaseTtlMs: 60_000, keepAfterMs });
    this.line = new Line({ redis, keys: this.keys, keepAfterMs });
  }

  in(...states: Actor['state'][]): Actor[] {
    return this.actors.filter(({ state }) => states.includes(state));
  }

  get hasSlot(): boolean {
    return this.in('running', 'growing').length < this.#cap;
  }

  /** What may be used at this moment excludes nobody else's. */
  async check(): Promise<void> {
    const usable: TicketNode[][] = [];
    for (const actor of this.in('running', 'growing')) {
      const [nodes, wanted] = await redis.hmget(this.keys.key('record', actor.holder), 'nodes', 'wanted');
      const names = new Set(readNodes(wanted ?? '[""]').map(({ name }) => name));
      usable.push(readNodes(nodes ?? '[""]').filter(({ name }) => !names.has(name)));
    }
    for (const ticket of await this.line.tickets()) if (ticket.state === 'granted') usable.push([...ticket.nodes]);
    for (const [i, one] of usable.entries()) {
      for (const other of usable.slice(i + 1)) {
        const met = one.filter((a) => other.some((b) => a.name === b.name && conflicts(a.mode, b.mode)));
        expect(met).toEqual([]);
      }
    }
  }

  /** Every run ends, every growth looks again, who was granted starts: until nobody is left. */
  async drain(): Promise<void> {
    for (let rounds = 0; this.in('done').length < this.actors.length; rounds += 1) {
      expect(rounds, 'nobody can go on: a deadlock').toBeLessThan(200);
      for (const actor of this.in('growing')) if (actor.state === 'growing') await actor.grow();
      for (const actor of this.in('running')) await actor.end();
      for (const actor of this.in('waiting')) {
        const state = await this.line.look(actor.id);
        if (this.hasSlot && state !== 'waiting') await actor.ask();
      }
      await this.check();
    }
    // `meta` counts the growths that have waited.
    const left = (await redis.keys(`${this.keys.prefix}*`)).filter((key) => key !== this.keys.all('meta'));
    expect(left).toEqual([]);
  }

  async step(step: Step): Promise<void> {
    if (step.do === 'submit') {
      const actor = new Actor(this, this.actors.length + 1, step.write);
      this.actors.push(actor);
      if (this.hasSlot) await actor.ask();
      return;
    }
    if (step.do === 'take') {
      const [actor] = this.in('waiting').filter((_one, at, all) => at === step.pick % Math.max(1, all.length));
      if (actor !== undefined && this.hasSlot) await actor.ask();
      return;
    }
    const among = step.do === 'look' ? this.in('growing') : this.in('running');
    const actor = among[step.pick % Math.max(1, among.length)];
    if (actor === undefined) return;
    if (step.do === 'end') await actor.end();
    else await actor.grow(step.do === 'grow' ? step.path : undefined);
  }
}

const path = fc.constantFrom(...PATHS);
const pick = fc.nat(30);
const stepArbitrary = fc.oneof(
  { weight: 3, arbitrary: fc.record({ do: fc.constant('submit' as const), write: fc.array(path, { maxLength: 2 }) }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('grow' as const), pick, path }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('look' as const), pick }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('end' as const), pick }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('take' as const), pick }) },
);
type Step = typeof stepArbitrary extends fc.Arbitrary<infer T> ? T : never;

test('random growths under a cap: no deadlock, nothing is used that somebody else holds, nothing is left over', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(stepArbitrary, { minLength: 5, maxLength: 40 }),
      fc.integer({ min: 1, max: 6 }),
      fc.boolean(),
      async (steps, cap, keeps) => {
        const fleet = new Fleet(cap, keeps ? 0 : 60_000);
        for (const step of steps) {
          await fleet.step(step);
          await fleet.check();
        }
        await fleet.drain();
      },
    ),
    { numRuns: 150 },
  );
}, 180_000);

describe('a growth', () => {
  async function running(fleet: Fleet, write: string[]): Promise<Actor> {
    const actor = new Actor(fleet, fleet.actors.length + 1, write);
    fleet.actors.push(actor);
    await actor.ask();
    expect(actor.state).toBe('running');
    return actor;
  }

  test('keeps newcomers away from what it waits for, and passes reservations and keeps', async () => {
    const fleet = new Fleet(10, 0);
    const older = await running(fleet, ['a']);
    const younger = await running(fleet, ['b']);
    const late = new Actor(fleet, 3, ['b']);
    fleet.actors.push(late);
    await late.ask();
    expect(await older.grow('b')).toBe('waiting');
    await younger.end();
    // Kept for `late` and first in its line, but what runs goes before what waits.
    expect(await fleet.line.look('t003')).toBe('waiting');
    expect(await older.grow()).toBe('grown');
    await fleet.drain();
  });

  test('takes what is only reserved: its owner goes back in line', async () => {
    const fleet = new Fleet(10, 60_000);
    const one = await running(fleet, ['a']);
    const other = await running(fleet, ['b']);
    const waits = new Actor(fleet, 3, ['b']);
    fleet.actors.push(waits);
    await waits.ask();
    await other.end();
    expect(await fleet.line.look('t003')).toBe('granted');
    expect(await one.grow('b')).toBe('grown');
    expect(await fleet.line.look('t003')).toBe('waiting');
    await fleet.drain();
  });

  test('waits on while who it waits for waits for a third', async () => {
    const fleet = new Fleet(10, 60_000);
    const [oldest, middle, youngest] = [
      await running(fleet, ['a']),
      await running(fleet, ['b']),
      await running(fleet, ['c']),
    ] as const;
    expect(await oldest.grow('b')).toBe('waiting');
    expect(await middle.grow('c')).toBe('waiting');
    expect(await oldest.grow()).toBe('waiting');
    await fleet.check();
    await youngest.end();
    expect(await middle.grow()).toBe('grown');
    expect(await oldest.grow()).toBe('waiting');
    await middle.end();
    expect(await oldest.grow()).toBe('grown');
    await fleet.drain();
  });

  test('to land waits for an older run on base, and gives up when that one waits itself', async () => {
    const fleet = new Fleet(10, 60_000);
    const onBase = await running(fleet, ['base']);
    const lands = await running(fleet, ['a']);
    const land = async () => {
      const nodes = claimSet({ repoKey, write: ['a', 'base'], read: [] });
      return await fleet.locker.grow(lands.lock as HeldLock, { nodes, mayWait: true, isLanding: true });
    };
    expect((await land()).kind).toBe('waiting');
    expect(await onBase.grow('a')).toBe('waiting');
    expect((await land()).kind).toBe('yield');
    await lands.end();
    expect(await onBase.grow()).toBe('grown');
    await fleet.drain();
  });

  test('of what it has already changes nothing, and a claim that is gone cannot grow', async () => {
    const fleet = new Fleet(10, 60_000);
    const one = await running(fleet, ['d']);
    expect(await one.grow('d/x')).toBe('grown');
    const { lock } = one;
    await one.end();
    const nodes = claimSet({ repoKey, write: ['x'], read: [] });
    const request = { nodes, mayWait: true, isLanding: false };
    expect(await fleet.locker.grow(lock as HeldLock, request)).toEqual({ kind: 'lost' });
  });

  test('of a holder that cannot be started again is refused instead of waiting', async () => {
    const fleet = new Fleet(10, 60_000);
    await running(fleet, ['b']);
    const held = await fleet.locker.acquire({
      holder: 'h-1',
      kind: 'hold',
      ticket: 'h-1',
      worker: 'host',
      class: classOf('normal'),
      policy: 'wait',
      nodes: claimSet({ repoKey, write: ['a'], read: [] }),
    });
    if (held.kind !== 'held') throw new Error(held.kind);
    const nodes = claimSet({ repoKey, write: ['a', 'b'], read: [] });
    const refused = await fleet.locker.grow(held.lock, { nodes, mayWait: false, isLanding: false });
    expect(refused).toMatchObject({ kind: 'refused', blocker: 'r-t001-1' });
    expect(
      (await redis.zrange(fleet.keys.all('holding'), '0', '-1')).filter((entry) => /#path:b\0h-1\0/.test(entry)),
    ).toEqual([]);
  });
});
