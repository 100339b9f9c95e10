/** The scripts' arguments: whatever words they are given, no script fails, and nothing is left when all is given back. */

import fc from 'fast-check';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ClaimNode } from '../../../src/claims/claim-set.ts';
import { type HeldLock, Locker } from '../../../src/claims/locker.ts';
import type { NodeMode } from '../../../src/claims/modes.ts';
import { TaskStore } from '../../../src/queue/store.ts';
import { queueKeys } from '../../../src/redis/keys.ts';
import { Line } from '../../../src/waiting/line.ts';
import { freshQueueName, testRedisUrl } from '../../support/redis.ts';

let redis: Redis;
beforeAll(() => {
  redis = new Redis(testRedisUrl());
});
afterAll(async () => {
  await redis.quit();
});

const WORDS = [
  '\0',
  'a\0b',
  '"',
  "'",
  '\\',
  '\n',
  '\r\n',
  ' ',
  '',
  ':',
  '#',
  '{',
  '}',
  '{x}:',
  '%s',
  '%',
  ']]',
  '--',
  '[]',
];
const NUMBERS = ['0', '-1', '1e999', 'nan', 'inf', '0x10', '9007199254740993', ' 1 '];
const hostile = fc.oneof(
  fc.constantFrom(
    ...WORDS,
    ...NUMBERS,
    'h:x',
    'k:x',
    'K',
    'M',
    'X',
    'slot',
    'null',
    'é',
    'e\u0301',
    '🚂',
    'x'.repeat(100_000),
  ),
  fc.string({ unit: 'binary', maxLength: 20 }).map((text) => text.replaceAll(/\p{Surrogate}/gu, '?')),
);
const rank = fc.oneof(fc.integer(), fc.double({ noNaN: true, noDefaultInfinity: true }), fc.constantFrom(0, -0, 1e300));
const mode = fc.constantFrom<NodeMode>('X', 'S', 'IX', 'IS', 'SIX', 'slot');
const node = fc.tuple(hostile, mode, hostile).map(
  ([name, how, shown]): ClaimNode => ({
    name: how === 'slot' ? `#owner:${name}` : `r#path:${name}`,
    mode: how,
    shown,
  }),
);
/** One lock a name, as claim sets have them. */
const nodes = fc.uniqueArray(node, { minLength: 1, maxLength: 4, selector: ({ name }) => name });

function setUp() {
  const keys = queueKeys(freshQueueName());
  const shared = { redis, keys, keepAfterMs: 0 };
  const locker = new Locker({ ...shared, leaseTtlMs: 60_000 });
  const leftKeys = async (kept: RegExp): Promise<string[]> =>
    (await redis.keys(`${keys.prefix}*`))
      .map((key) => key.slice(keys.prefix.length))
      .filter((name) => !kept.test(name));
  return {
    keys,
    locker,
    line: new Line(shared),
    store: new TaskStore({ ...shared, historyLimit: 1_000, signer: undefined }),
    leftKeys,
  };
}

describe('claims', () => {
  test('of any names are taken, grown, waited for and given back, and leave nothing', async () => {
    const person = fc.record({
      name: hostile,
      worker: hostile,
      nodes,
      rank,
      class: fc.integer({ min: 0, max: 3 }),
      more: nodes,
    });
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(person, { minLength: 2, maxLength: 4, selector: ({ name }) => name }),
        async (people) => {
          const { locker, line, leftKeys } = setUp();
          const held: HeldLock[] = [];
          const ask = async ({ name, more: _more, ...request }: (typeof people)[number]): Promise<void> => {
            const acquired = await locker.acquire({
              ...request,
              holder: name,
              ticket: `t${name}`,
              kind: 'hold',
              policy: 'wait',
            });
            expect(['held', 'blocked']).toContain(acquired.kind);
            if (acquired.kind === 'held') held.push(acquired.lock);
          };
          for (const one of people) await ask(one);
          expect(held.length).toBeGreaterThan(0);
          for (const [i, lock] of held.entries()) {
            expect(await locker.renew(lock)).toBe('renewed');
            const wanted = people.find(({ name }) => name === lock.holder);
            const grown = await locker.grow(lock, { nodes: wanted?.more ?? [], mayWait: false, isLanding: false });
            expect(['grown', 'refused', 'yield']).toContain(grown.kind);
            if (grown.kind === 'grown') held[i] = locker.widened(lock, grown.names);
          }
          for (const ticket of await line.ids(100)) await line.leave(ticket);
          for (const lock of held) expect(await locker.release(lock)).toBeDefined();
          expect(await leftKeys(/^(meta|fair)$/)).toEqual([]);
        },
      ),
      { numRuns: 60 },
    );
  });
});

describe('a task', () => {
  test('of any words is accepted, moved and ended as it is, and read back so', async () => {
    const fields = fc.record({ title: hostile, envelope: hostile, owner: hostile, error: hostile });
    const task = fc.record({
      fields,
      key: hostile,
      hash: fc.stringMatching(/^[a-f0-9]{8}$/),
      branch: hostile,
      reason: hostile,
      code: hostile,
    });
    await fc.assert(
      fc.asyncProperty(task, fc.integer({ min: 1, max: 1e9 }), async (given, sequence) => {
        const { store, leftKeys } = setUp();
        const id = `t-${sequence}`;
        const entry = {
          id,
          sequence,
          place: '',
          key: given.key,
          bodyHash: given.hash,
          dependsOn: [],
          resources: [],
          policy: 'wait' as const,
          branchNode: `r#branch:${given.branch}`,
          fields: {
            ...given.fields,
            branchNode: `r#branch:${given.branch}`,
            priority: 'normal',
            class: 2,
            maxAttempts: 3,
          },
        };
        const { accepted } = await store.submit([entry]);
        expect(accepted).toEqual([{ id, state: 'queued', duplicate: false }]);
        expect((await store.submit([{ ...entry, id: `${id}-again` }])).accepted).toMatchObject([
          { id, duplicate: true },
        ]);
        const picked = await store.pickUp(id);
        expect(picked).toMatchObject({ kind: 'ok', record: { title: given.fields.title, error: given.fields.error } });
        const writer = { by: 'pickup', number: 1 } as const;
        const moved = await store.move(id, writer, {
          to: 'blocked',
          reason: given.reason,
          fields: { error: given.code },
        });
        expect(moved.kind).toBe('ok');
        const outcome = { state: 'failed', code: 'invalid' } as const;
        const finished = await store.finish(id, writer, {
          outcome,
          reason: given.reason,
          fields: { error: given.reason },
        });
        expect(finished.kind).toBe('ok');
        expect(await store.get(id)).toMatchObject({
          state: 'failed',
          envelope: given.fields.envelope,
          error: given.reason,
        });
        expect((await store.history(id)).at(-1)?.reason).toBe(given.reason);
        expect(
          await leftKeys(
            /^(metrics|meta|fair|idempotency|tasks|finished|unqueued|state:failed|task:.*|envelope:.*|history:.*)$/s,
          ),
        ).toEqual([]);
      }),
      { numRuns: 60 },
    );
  });
});
