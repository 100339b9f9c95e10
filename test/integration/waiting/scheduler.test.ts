/** The line in memory against the line on Redis: the same requests, step by step, with the same answers and places. */

import fc from 'fast-check';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { claimSet } from '../../../src/claims/claim-set.ts';
import { type HeldLock, Locker } from '../../../src/claims/locker.ts';
import { queueKeys } from '../../../src/redis/keys.ts';
import { Line } from '../../../src/waiting/line.ts';
import { classOf, PRIORITIES, type Priority, rankOf } from '../../../src/waiting/rank.ts';
import { Scheduler } from '../../../src/waiting/scheduler.ts';
import type { Want } from '../../../src/waiting/want.ts';
import { freshQueueName, testRedisUrl } from '../../support/redis.ts';

let redis: Redis;
beforeAll(() => {
  redis = new Redis(testRedisUrl());
});
afterAll(async () => {
  await redis.quit();
});

const LIMITS = { 'resource:db': 2, 'resource:port': 1, 'resource:none': 0, 'owner:ann': 2, 'spec:big': 1 };
const PATHS = ['**', 'a', 'a/x', 'a/y', 'b', 'b/x', 'c/d/e'];
const POLICIES = { wait: 'wait', fail: 'refuse', skip: 'refuse', proceed: 'proceed' } as const;

interface Claim {
  readonly branch: string | undefined;
  readonly write: readonly string[];
  readonly read: readonly string[];
  readonly resources: readonly string[];
  readonly owner: string | undefined;
  readonly spec: string | undefined;
  readonly priority: Priority;
  readonly policy: keyof typeof POLICIES;
  /** Few, so that ranks are often the same. */
  readonly start: number;
}

type Step =
  | { readonly do: 'ask'; readonly claim: Claim }
  | { readonly do: 'release' | 'again' | 'leave'; readonly pick: number };

const claim: fc.Arbitrary<Claim> = fc.record({
  branch: fc.constantFrom('m', 'n', undefined),
  write: fc.subarray(PATHS, { maxLength: 2 }),
  read: fc.subarray(PATHS, { maxLength: 2 }),
  resources: fc.oneof(
    { weight: 3, arbitrary: fc.constant([]) },
    { weight: 2, arbitrary: fc.subarray(['db', 'port', 'none']) },
  ),
  owner: fc.constantFrom('ann', 'bob', undefined),
  spec: fc.constantFrom('big', undefined, undefined),
  priority: fc.constantFrom(...PRIORITIES),
  policy: fc.constantFrom('wait' as const, 'wait' as const, 'wait' as const, 'fail' as const, 'skip', 'proceed'),
  start: fc.nat({ max: 6 }),
});
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ do: fc.constant('ask' as const), claim }) },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constantFrom('release' as const, 'release', 'again' as const, 'leave' as const),
      pick: fc.nat(100),
    }),
  },
);

/** Both lines, side by side. */
class Both {
  readonly #locker: Locker;
  readonly #line: Line;
  readonly #scheduler: Scheduler;
  readonly #asked = new Map<string, { readonly want: Want; readonly ask: Parameters<Locker['acquire']>[0] }>();
  readonly #held = new Map<string, HeldLock>();
  readonly keys = queueKeys(freshQueueName());

  constructor(keepAfterMs: number) {
    this.#locker = new Locker({ redis, keys: this.keys, leaseTtlMs: 600_000, keepAfterMs });
    this.#line = new Line({ redis, keys: this.keys, keepAfterMs });
    this.#scheduler = new Scheduler({ keepAfterMs, limits: new Map(Object.entries(LIMITS)) });
  }

  async start(): Promise<void> {
    await redis.hset(this.keys.all('limits'), LIMITS);
  }

  async ask({ branch, write, read, resources, owner, spec, priority, policy, start }: Claim): Promise<void> {
    const number = this.#asked.size;
    const ticket = `t${String(number).padStart(4, '0')}`;
    const nodes = claimSet({
      repoKey: 'git.example.com/acme/app',
      write,
      read,
      resources,
      spec,
      ...(branch === undefined ? {} : { branch }),
      ...(owner === undefined ? {} : { owner }),
    });
    const order = { rank: rankOf(priority, start), class: classOf(priority) };
    this.#asked.set(ticket, {
      want: this.#scheduler.want({ id: number, ...order, policy: POLICIES[policy], nodes }),
      ask: { holder: `r-${ticket}`, kind: 'hold', ticket, worker: 'w', policy, nodes, ...order },
    });
    await this.#acquire(ticket);
  }

  async #acquire(ticket: string): Promise<void> {
    const { want, ask } = this.#asked.get(ticket) as { want: Want; ask: Parameters<Locker['acquire']>[0] };
    const got = await this.#locker.acquire(ask);
    const had = this.#scheduler.acquire(want, 0);
    const obstacle = 'obstacle' in had ? had.obstacle : undefined;
    expect([got.kind, 'obstacle' in got ? got.obstacle : undefined, 'grants' in got && names(got.grants)]).toEqual([
      had.kind === 'refused' ? 'conflict' : had.kind,
      obstacle,
      tickets(had.granted),
    ]);
    if (got.kind === 'held') this.#held.set(ticket, got.lock);
  }

  async do({ do: what, pick }: Exclude<Step, { do: 'ask' }>): Promise<void> {
    const state = { release: ['held'], again: ['granted', 'waiting'], leave: ['granted', 'waiting'] }[what];
    const among = [...this.#asked].filter(([, { want }]) => state.includes(want.state));
    const [ticket, { want }] = among[pick % Math.max(1, among.length)] ?? ['', { want: undefined }];
    if (want === undefined) return;
    if (what === 'again') return await this.#acquire(ticket);
    const grants =
      what === 'release'
        ? await this.#locker.release(this.#held.get(ticket) as HeldLock)
        : await this.#line.leave(ticket);
    const granted = what === 'release' ? this.#scheduler.release(want, 0) : this.#scheduler.leave(want, 0);
    expect(names(grants ?? [])).toEqual(tickets(granted));
  }

  /** Who is in line, how, and under which node each is filed. */
  async compare(): Promise<void> {
    const theirs = (await this.#line.tickets()).map(({ id, state, obstacle, keeps }) => ({
      id,
      state,
      obstacle,
      keeps,
    }));
    const ours = [...this.#asked]
      .filter(([, { want }]) => want.state === 'waiting' || want.state === 'granted')
      .map(([id, { want }]) => ({ id, state: want.state, obstacle: want.under?.name, keeps: want.keeps }));
    const byId = (a: { id: string }, b: { id: string }): number => a.id.localeCompare(b.id);
    expect(ours.toSorted(byId)).toEqual(theirs.toSorted(byId));
  }
}

function names(grants: readonly { readonly ticket: string }[]): string[] {
  return grants.map(({ ticket }) => ticket);
}

function tickets(wants: readonly Want[]): string[] {
  return wants.map(({ id }) => `t${String(id).padStart(4, '0')}`);
}

test.each([
  ['everything is passed over for a while', 600_000],
  ['everything is kept for whoever is passed over once', 0],
])(
  'the two agree on who holds, who is granted and who waits under which node: %s',
  async (_name, keepAfterMs) => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 50 }), async (steps) => {
        const both = new Both(keepAfterMs);
        await both.start();
        for (const one of steps) {
          if (one.do === 'ask') await both.ask(one.claim);
          else await both.do(one);
          await both.compare();
        }
      }),
      { numRuns: 150 },
    );
  },
  120_000,
);
