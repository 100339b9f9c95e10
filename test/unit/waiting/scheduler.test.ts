import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { claimSet } from '../../../src/claims/claim-set.ts';
import { conflicts, type NodeMode } from '../../../src/claims/modes.ts';
import { PRIORITIES, rankOf } from '../../../src/waiting/rank.ts';
import { Scheduler } from '../../../src/waiting/scheduler.ts';
import { Ranked, Want } from '../../../src/waiting/want.ts';

const repoKey = 'git.example.com/acme/app';
const CAPACITY = 2;
const PATHS = ['**', 'a', 'a/x', 'a/y', 'b', 'b/x', 'c/d/e'];

const claim = fc.record({
  branch: fc.constantFrom('m', 'n', undefined),
  write: fc.subarray(PATHS, { maxLength: 2 }),
  read: fc.subarray(PATHS, { maxLength: 2 }),
  resources: fc.subarray(['db'], { minLength: 0 }),
  rank: fc.nat({ max: 20 }),
  class: fc.nat({ max: 3 }),
});
const step = fc.oneof(
  { weight: 4, arbitrary: claim.map((one) => ({ do: 'ask' as const, claim: one, pick: 0 })) },
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constantFrom('release' as const, 'again' as const, 'leave' as const),
      pick: fc.nat(),
    }),
  },
);

interface Asked {
  readonly want: Want;
  readonly nodes: readonly { readonly name: string; readonly mode: NodeMode }[];
}

function collide({ nodes }: Asked, other: Asked): boolean {
  return nodes.some((a) => other.nodes.some((b) => a.name === b.name && conflicts(a.mode, b.mode)));
}

/** Whether someone is in its way, by the rules alone. */
function isBlocked(asked: Asked, all: readonly Asked[]): boolean {
  const taken = all.filter(({ want }) => want.state === 'held' || want.state === 'granted');
  const kept = all.filter(({ want }) => want.state === 'waiting' && want.keeps && want.rank < asked.want.rank);
  const counted = ({ nodes }: Asked): boolean => nodes.some(({ mode }) => mode === 'slot');
  const slots = [...taken, ...kept].filter(counted).length;
  return [...taken, ...kept].some((other) => collide(asked, other)) || (counted(asked) && slots >= CAPACITY);
}

test.each([0, 1_000])('nobody overlaps, and nobody waits who could have all (kept after %d)', (keepAfterMs) => {
  fc.assert(
    fc.property(fc.array(step, { minLength: 5, maxLength: 60 }), (steps) => {
      const scheduler = new Scheduler({ keepAfterMs, limits: new Map([['resource:db', CAPACITY]]) });
      const all: Asked[] = [];
      for (const { do: what, pick, ...rest } of steps) {
        if ('claim' in rest) {
          const { branch, write, read, resources, rank, class: own } = rest.claim;
          const nodes = claimSet({ repoKey, write, read, resources, ...(branch === undefined ? {} : { branch }) });
          const want = scheduler.want({
            id: all.length,
            rank: rankOf(PRIORITIES[own] ?? 'low', rank),
            class: own,
            nodes,
          });
          all.push({ want, nodes });
          scheduler.acquire(want, 0);
        } else {
          const states = what === 'release' ? ['held'] : ['waiting', 'granted'];
          const among = all.filter(({ want }) => states.includes(want.state));
          const picked = among[pick % Math.max(1, among.length)]?.want;
          if (picked === undefined) continue;
          if (what === 'again') scheduler.acquire(picked, 0);
          else if (what === 'release') scheduler.release(picked, 0);
          else scheduler.leave(picked, 0);
        }
        const taken = all.filter(({ want }) => want.state === 'held' || want.state === 'granted');
        for (const [i, one] of taken.entries()) {
          for (const other of taken.slice(i + 1)) expect(collide(one, other)).toBe(false);
        }
        for (const waiting of all.filter(({ want }) => want.state === 'waiting')) {
          expect(isBlocked(waiting, all)).toBe(true);
          expect(waiting.nodes.map(({ name }) => name)).toContain(waiting.want.under?.name);
        }
      }
    }),
    { numRuns: 200 },
  );
});

test('what is freed goes to the first in rank that can have everything', () => {
  const scheduler = new Scheduler({ keepAfterMs: 1_000 });
  const ask = (id: number, write: string[]) => {
    const want = scheduler.want({ id, rank: id, class: 2, nodes: claimSet({ repoKey, write, read: [] }) });
    scheduler.acquire(want, 0);
    return want;
  };
  const [one, other] = [ask(1, ['a']), ask(2, ['b'])];
  const both = ask(3, ['a', 'b']);
  const second = ask(4, ['a']);
  expect(scheduler.release(one, 0)).toEqual([second]);
  expect(both.under?.name).toBe(`${repoKey}#path:b`);
  expect(scheduler.release(other, 0)).toEqual([]);
  scheduler.acquire(second, 0);
  expect(scheduler.release(second, 0)).toEqual([both]);
});

test('a node that nobody names takes no room, and begins anew', () => {
  const scheduler = new Scheduler({ keepAfterMs: 1_000 });
  const ask = (id: number) => scheduler.want({ id, rank: id, class: 2, nodes: [{ name: 'x', mode: 'X' }] });
  const first = ask(1);
  const node = first.needs[0]?.node;
  scheduler.acquire(first, 0);
  expect(ask(2).needs[0]?.node).toBe(node);
  const alone = new Scheduler({ keepAfterMs: 1_000 });
  const only = alone.want({ id: 1, rank: 1, class: 2, nodes: [{ name: 'x', mode: 'X' }] });
  alone.acquire(only, 0);
  alone.release(only, 0);
  expect(alone.want({ id: 2, rank: 2, class: 2, nodes: [{ name: 'x', mode: 'X' }] }).needs).not.toEqual(only.needs);
});

describe('a line', () => {
  test('is in order of rank however long it is, and whoever comes and goes', () => {
    const entry = fc.record({ rank: fc.nat({ max: 300 }), goes: fc.boolean() });
    fc.assert(
      fc.property(fc.array(entry, { maxLength: 3_000, size: 'max' }), (entries) => {
        const line = new Ranked();
        const wants = entries.map(({ rank }, id) => new Want({ id, rank, class: 2, needs: [] }));
        for (const want of wants) line.add(want);
        for (const [i, want] of wants.entries()) if (entries[i]?.goes === true) line.delete(want);
        const left = wants
          .filter((_, i) => entries[i]?.goes === false)
          .toSorted((a, b) => a.rank - b.rank || a.id - b.id);
        const walked: Want[] = [];
        for (let at = line.next(); at !== undefined; at = line.next(at)) walked.push(at);
        expect(walked).toEqual(left);
        expect(line.size).toBe(left.length);
        expect(line.rankAt(5)).toBe(left[5]?.rank ?? Number.POSITIVE_INFINITY);
        const gone = wants.find((_, i) => entries[i]?.goes === true);
        const after = left.find((want) => gone !== undefined && (want.rank - gone.rank || want.id - gone.id) > 0);
        if (gone !== undefined) expect(line.next(gone)).toBe(after);
      }),
      { numRuns: 50 },
    );
  });
});
