/**
 * The claim scripts against the rules: random claims are taken, given back, cancelled and reaped, and after every step
 * the structures in Redis are compared with what `modes.ts` says.
 */

import fc from 'fast-check';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Acquired } from '../../../src/claims/answers.ts';
import { claimSet } from '../../../src/claims/claim-set.ts';
import { type HeldLock, Locker } from '../../../src/claims/locker.ts';
import { conflicts } from '../../../src/claims/modes.ts';
import { readNodes } from '../../../src/claims/node-list.ts';
import { queueKeys } from '../../../src/redis/keys.ts';
import { Line, type TicketNode } from '../../../src/waiting/line.ts';
import { classOf, type Priority, rankOf } from '../../../src/waiting/rank.ts';
import { freshQueueName, testRedisUrl } from '../../support/redis.ts';

let redis: Redis;
beforeAll(() => {
  redis = new Redis(testRedisUrl());
});
afterAll(async () => {
  await redis.quit();
});

const repoKey = 'git.example.com/acme/app';

function setUp(keepAfterMs = 60_000) {
  const keys = queueKeys(freshQueueName());
  const locker = new Locker({ redis, keys, leaseTtlMs: 60_000, keepAfterMs });
  const line = new Line({ redis, keys, keepAfterMs });
  const ask = (
    name: string,
    claim: { branch?: string; write?: string[]; read?: string[]; resources?: string[] },
    more: object = {},
  ) =>
    locker.acquire({
      holder: name,
      kind: 'hold',
      ticket: `t-${name}`,
      worker: 'w',
      rank: rankOf('normal', 1),
      class: classOf('normal'),
      policy: 'wait',
      nodes: claimSet({ repoKey, write: [], read: [], ...claim }),
      ...more,
    });
  const leftKeys = () => redis.keys(`${keys.prefix}*`);
  return { keys, locker, line, ask, leftKeys };
}

/** Where a request stands in line. */
function place(priority: Priority, start: number) {
  return { rank: rankOf(priority, start), class: classOf(priority) };
}

function lockOf(acquired: Acquired): HeldLock {
  if (acquired.kind !== 'held') throw new Error(`not held: ${JSON.stringify(acquired)}`);
  return acquired.lock;
}

describe('a claim', () => {
  test('is refused while an overlapping one is held, and the release grants it in the same step', async () => {
    const { locker, line, ask, leftKeys } = setUp();
    const first = lockOf(await ask('a', { write: ['src/auth/**'] }));
    expect(await ask('b', { write: ['src/auth/login.ts'] })).toMatchObject({ kind: 'blocked', own: false });
    expect(await line.look('t-b')).toBe('waiting');
    expect(await locker.release(first)).toEqual([{ kind: 'hold', ticket: 't-b' }]);
    expect(await line.look('t-b')).toBe('granted');
    expect(await ask('c', { write: ['src/auth/login.ts'] })).toMatchObject({ kind: 'blocked' });
    const second = lockOf(await ask('b', { write: ['src/auth/login.ts'] }));
    expect(await locker.release(second)).toEqual([{ kind: 'hold', ticket: 't-c' }]);
    expect(await line.leave('t-c')).toEqual([]);
    expect(await leftKeys()).toEqual([]);
  });

  test.each([
    ['./a//b', 'a/b', true],
    ['A/b', 'a/B', true],
    ['caf\u00e9', 'cafe\u0301', true],
    ['src/auth/**', 'src/db/a.ts', false],
    ['**', 'x/y/z', true],
    ['src/*.ts', 'src/deep/file', true],
    ['a[1]', 'a1', false],
  ])('on %s beside %s: overlap %s', async (one, other, overlap) => {
    const { ask } = setUp();
    await ask('a', { write: [one] });
    expect((await ask('b', { write: [other] })).kind).toBe(overlap ? 'blocked' : 'held');
  });

  test('reads stand together and never beside a write', async () => {
    const { ask, locker } = setUp();
    const one = lockOf(await ask('r1', { read: ['src/db'] }));
    const two = lockOf(await ask('r2', { read: ['src/db/schema.ts'] }));
    expect((await ask('w', { write: ['src/db/schema.ts'] })).kind).toBe('blocked');
    expect(await locker.release(one)).toEqual([]);
    expect(await locker.release(two)).toEqual([{ kind: 'hold', ticket: 't-w' }]);
  });

  test('with policy fail is refused and leaves nothing behind', async () => {
    const { ask, locker, leftKeys } = setUp();
    const held = lockOf(await ask('a', { branch: 'main' }));
    expect(await ask('b', { branch: 'main', write: ['x'] }, { policy: 'fail' })).toMatchObject({ kind: 'conflict' });
    await locker.release(held);
    expect(await leftKeys()).toEqual([]);
  });

  test('is released once: a second release, and one by somebody else, do nothing', async () => {
    const { ask, locker } = setUp();
    const held = lockOf(await ask('a', { write: ['x'] }));
    expect(await locker.release({ ...held, value: 'somebody else' })).toBeUndefined();
    expect((await ask('b', { write: ['x'] })).kind).toBe('blocked');
    expect(await locker.release(held)).toHaveLength(1);
    expect(await locker.release(held)).toBeUndefined();
  });

  test('is lost when its lease, its record or one of its entries is deleted', async () => {
    for (const victim of ['lease:a', 'record:a', 'held', `${repoKey}#path:x\0a\0X`]) {
      const { ask, locker, keys } = setUp();
      const held = lockOf(await ask('a', { write: ['x'] }));
      expect(await locker.renew(held)).toBe('renewed');
      const isEntry = victim.includes('\0');
      const deleted = isEntry ? redis.zrem(keys.all('holding'), victim) : redis.del(`${keys.prefix}${victim}`);
      expect(await deleted).toBe(1);
      expect(await locker.renew(held)).toBe('lost');
    }
  });

  test('that ends with an entry gone leaves the others counted, whatever somebody has done to the counts', async () => {
    const { ask, locker, keys } = setUp();
    const held = lockOf(await ask('a', { write: ['x'] }));
    lockOf(await ask('b', { write: ['y'] }));
    expect(await redis.zrem(keys.all('holding'), `${repoKey}#path:\0a\0IX`)).toBe(1);
    expect(await redis.hdel(keys.all('held'), `${repoKey}#path:`)).toBe(1);
    await locker.release(held);
    expect((await ask('c', { read: ['**'] })).kind).toBe('blocked');
    expect((await ask('d', { write: ['x'] })).kind).toBe('held');
  });

  test('finds a slot that is taken wherever it stands among what is claimed', async () => {
    const { ask, line } = setUp();
    await line.setLimit('resource:db', 1);
    lockOf(await ask('a', { write: ['x'] }));
    lockOf(await ask('b', { resources: ['db'] }));
    // As a claim that has grown may be: the path, which it may have beside others, after the slot.
    const nodes = claimSet({ repoKey, write: ['x'], read: [], resources: ['db'] }).reverse();
    expect(await ask('c', {}, { nodes, policy: 'proceed' })).toMatchObject({
      kind: 'blocked',
      obstacle: '#resource:db',
    });
  });

  test('whose lease is gone still blocks until it is reaped, and then the line is served', async () => {
    const { ask, locker, keys } = setUp();
    const held = lockOf(await ask('a', { write: ['x'] }));
    expect(await locker.reap('a', held.value)).toBeUndefined();
    await redis.del(keys.key('lease', 'a'));
    expect((await ask('b', { write: ['x'] })).kind).toBe('blocked');
    expect((await locker.overdue(0, 100)).leases).toEqual(new Map([['a', { value: held.value, untilMs: undefined }]]));
    expect(await locker.reap('a', 'another value')).toBeUndefined();
    expect(await locker.reap('a', held.value)).toEqual([{ kind: 'hold', ticket: 't-b' }]);
  });

  test('is overdue until the same moment however often one looks, and until another once it is renewed', async () => {
    const { ask, locker, keys } = setUp();
    const held = lockOf(await ask('a', { write: ['x'] }));
    lockOf(await ask('b', { write: ['y'] }));
    const until = async (): Promise<number> => {
      const { nowMs, leases } = await locker.overdue(40_000, 100);
      expect([...leases.keys()]).toEqual(['a']);
      const { value, untilMs = 0 } = leases.get('a') ?? {};
      expect(value).toBe(held.value);
      expect(untilMs - nowMs).toBeLessThan(40_000);
      return untilMs;
    };
    await redis.pexpire(keys.key('lease', 'a'), 30_000);
    const first = await until();
    expect(Math.abs((await until()) - first)).toBeLessThanOrEqual(10);
    expect(await locker.renew(held)).toBe('renewed');
    expect((await locker.overdue(40_000, 100)).leases.size).toBe(0);
    await redis.pexpire(keys.key('lease', 'a'), 31_000);
    expect((await until()) - first).toBeGreaterThan(900);
    await redis.persist(keys.key('lease', 'a'));
    expect((await locker.overdue(40_000, 100)).leases.size).toBe(0);
  });

  test('is looked at for everybody who asks in the same moment, where there are many', async () => {
    const { ask, locker, keys } = setUp();
    for (let i = 0; i < 100; i += 1) lockOf(await ask(`a-${i}`, { write: [`x-${i}`] }));
    const overdue = (leftMs: number) => locker.overdue(leftMs, 50_000);
    const first = await overdue(40_000);
    expect(first.leases.size).toBe(0);
    await redis.pexpire(keys.key('lease', 'a-7'), 30_000);
    expect(await overdue(40_000)).toEqual(first);
    // Another bound is another question, and what is too old is no answer.
    expect([...(await overdue(39_000)).leases.keys()]).toEqual(['a-7']);
    await redis.set(keys.all('overdue'), JSON.stringify({ left: '40000', reply: [first.nowMs - 50_001] }));
    expect([...(await overdue(40_000)).leases.keys()]).toEqual(['a-7']);
    // Nor is what a clock said that was set back since.
    await redis.set(keys.all('overdue'), JSON.stringify({ left: '40000', reply: [first.nowMs + 60_000] }));
    const last = await overdue(40_000);
    expect([...last.leases.keys()]).toEqual(['a-7']);
    expect(await overdue(40_000)).toEqual(last);
  });

  test('of a higher priority takes a reservation from a lower one, which is served afterwards', async () => {
    const { ask, locker, line } = setUp();
    const held = lockOf(await ask('a', { write: ['x'] }));
    await ask('low', { write: ['x'] }, place('low', 2));
    await locker.release(held);
    expect(await line.look('t-low')).toBe('granted');
    const urgent = lockOf(await ask('urgent', { write: ['x'] }, place('urgent', 3)));
    expect(await line.look('t-low')).toBe('waiting');
    expect(await locker.release(urgent)).toEqual([{ kind: 'hold', ticket: 't-low' }]);
  });

  test('that waited too long is kept for: later ones no longer pass it', async () => {
    const { ask, locker, leftKeys } = setUp(0);
    const one = lockOf(await ask('small1', { write: ['a'] }));
    const two = lockOf(await ask('small2', { write: ['b'] }));
    expect((await ask('whole', { write: ['**'] }, place('normal', 5))).kind).toBe('blocked');
    expect(lockOf(await ask('small3', { write: ['c'] }, place('normal', 6)))).toBeDefined();
    await locker.release(one);
    expect((await ask('small4', { write: ['d'] }, place('normal', 7))).kind).toBe('blocked');
    expect((await ask('urgent', { write: ['e'] }, place('urgent', 8))).kind).toBe('held');
    for (const holder of ['small3', 'urgent']) {
      const value = await redis.hget((await leftKeys()).find((key) => key.endsWith(`record:${holder}`)) ?? '', 'value');
      await locker.release({
        holder,
        value: value ?? '',
        resources: [(await leftKeys()).find((key) => key.endsWith(`record:${holder}`)) ?? ''],
      });
    }
    expect(await locker.release(two)).toEqual([{ kind: 'hold', ticket: 't-whole' }]);
    const whole = lockOf(await ask('whole', { write: ['**'] }, place('normal', 5)));
    expect(await locker.release(whole)).toEqual([{ kind: 'hold', ticket: 't-small4' }]);
  });
});

const PATHS = ['**', 'a', 'a/x', 'a/y', 'b', 'b/x', 'c/d/e'];
const claimArbitrary = fc.record({
  branch: fc.constantFrom('m', 'n', undefined),
  write: fc.subarray(PATHS, { maxLength: 2 }),
  read: fc.subarray(PATHS, { maxLength: 2 }),
  priority: fc.constantFrom('urgent' as const, 'normal' as const, 'low' as const),
});
const stepArbitrary = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant('ask' as const), claim: claimArbitrary }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('end' as const), pick: fc.nat(100) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('takeUp' as const), pick: fc.nat(100) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('leave' as const), pick: fc.nat(100) }) },
);

interface Held {
  readonly id: string;
  readonly nodes: readonly TicketNode[];
}

function collide(one: readonly TicketNode[], other: readonly TicketNode[]): boolean {
  return one.some((a) => other.some((b) => a.name === b.name && conflicts(a.mode, b.mode)));
}

test('over random claims nobody overlaps, nobody who could start is left waiting, nothing is left over', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(stepArbitrary, { minLength: 5, maxLength: 40 }), fc.boolean(), async (steps, keeps) => {
      const { keys, locker, line, leftKeys } = setUp(keeps ? 0 : 60_000);
      const running = new Map<string, HeldLock>();
      const asks = new Map<string, { nodes: ReturnType<typeof claimSet>; rank: number; class: number }>();
      const ask = async (id: string): Promise<void> => {
        const wanted = asks.get(id);
        if (wanted === undefined) throw new Error('unknown ask');
        const got = await locker.acquire({
          holder: `r-${id}`,
          kind: 'hold',
          ticket: id,
          worker: 'w',
          policy: 'wait',
          ...wanted,
        });
        if (got.kind === 'held') running.set(id, got.lock);
      };
      const check = async (): Promise<void> => {
        const held: Held[] = [];
        for (const id of running.keys()) {
          const json = await redis.hget(keys.key('record', `r-${id}`), 'nodes');
          held.push({ id, nodes: readNodes(json ?? '[""]') });
        }
        const tickets = await line.tickets();
        const taken = [...held, ...tickets.filter(({ state }) => state === 'granted')];
        for (const [i, one] of taken.entries()) {
          for (const other of taken.slice(i + 1)) expect(collide(one.nodes, other.nodes)).toBe(false);
        }
        for (const waiting of tickets.filter(({ state }) => state === 'waiting')) {
          const kept = tickets.filter((t) => t.keeps && t.state === 'waiting' && t.rank < waiting.rank);
          expect([...taken, ...kept].some((other) => collide(other.nodes, waiting.nodes))).toBe(true);
        }
      };
      let count = 0;
      const pickFrom = <T>(all: readonly T[], pick: number): T | undefined => all[pick % Math.max(1, all.length)];
      for (const step of steps) {
        if (step.do === 'ask') {
          const { branch, write, read, priority } = step.claim;
          const nodes = claimSet({ repoKey, write, read, ...(branch === undefined ? {} : { branch }) });
          const id = `t${count++}`;
          asks.set(id, { nodes, ...place(priority, count) });
          await ask(id);
        } else if (step.do === 'end') {
          const picked = pickFrom([...running], step.pick);
          if (picked !== undefined) {
            running.delete(picked[0]);
            await locker.release(picked[1]);
          }
        } else {
          const state = step.do === 'leave' ? 'waiting' : 'granted';
          const picked = pickFrom(
            (await line.tickets()).filter((ticket) => ticket.state === state || step.do === 'leave'),
            step.pick,
          );
          if (picked !== undefined) await (step.do === 'leave' ? line.leave(picked.id) : ask(picked.id));
        }
        await check();
      }
      for (let left = 1; left > 0; ) {
        for (const [id, lock] of running) {
          running.delete(id);
          await locker.release(lock);
        }
        const tickets = await line.tickets();
        for (const ticket of tickets.filter(({ state }) => state === 'granted')) await ask(ticket.id);
        left = running.size;
      }
      expect(await leftKeys()).toEqual([]);
    }),
    { numRuns: 150 },
  );
}, 120_000);
