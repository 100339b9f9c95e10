import fc from 'fast-check';
import { expect, test } from 'vitest';
import { claimSet } from '../../../src/claims/claim-set.ts';
import { conflicts } from '../../../src/claims/modes.ts';
import { PRIORITIES } from '../../../src/waiting/rank.ts';
import {
  type Arrival,
  type Fleet,
  type Played,
  type SimulatedTask,
  simulate,
} from '../../../src/waiting/simulation.ts';

const repoKey = 'git.example.com/acme/app';
const FLEET: Fleet = { runners: Number.POSITIVE_INFINITY, keepAfterMs: 60_000 };

function task(id: number, write: string[], more: Partial<SimulatedTask> = {}): SimulatedTask {
  const nodes = claimSet({ repoKey, write, read: [] });
  return { id, owner: 'ann', priority: 'normal', nodes, durationMs: 10, ...more };
}

const at = (atMs: number, one: SimulatedTask): Arrival => ({ atMs, task: one });

/** When each task started, and the whole. */
function play(fleet: Fleet, arrivals: Iterable<Arrival>): { starts: Map<number, number>; played: Played } {
  const starts = new Map<number, number>();
  const played = simulate(fleet, arrivals, { started: ({ id }, atMs) => void starts.set(id, atMs) });
  return { starts, played };
}

const arbitraryTasks = fc.array(
  fc.record({
    write: fc.subarray(['**', 'a', 'a/x', 'b', 'c/d'], { minLength: 1, maxLength: 2 }),
    durationMs: fc.integer({ min: 1, max: 50 }),
    gapMs: fc.nat({ max: 30 }),
    owner: fc.constantFrom('ann', 'bob', 'cy'),
    priority: fc.constantFrom(...PRIORITIES),
    after: fc.option(fc.nat({ max: 40 }), { nil: undefined }),
  }),
  { minLength: 1, maxLength: 40 },
);

test('every task runs once, no two that exclude each other at a time, none before what it comes after', () => {
  fc.assert(
    fc.property(
      arbitraryTasks,
      fc.integer({ min: 1, max: 8 }),
      fc.constantFrom(0, 60_000),
      (drawn, runners, keepAfterMs) => {
        let now = 0;
        const arrivals = drawn.map(({ write, gapMs, after, ...more }, id) => {
          now += gapMs;
          return at(now, task(id, write, { ...more, after: after !== undefined && after < id ? [after] : [] }));
        });
        const { starts, played } = play({ runners, keepAfterMs }, arrivals);
        expect(starts.size).toBe(drawn.length);
        expect(played).toMatchObject({ started: drawn.length, refused: 0, stuck: 0 });
        expect(played.mostRunning).toBeLessThanOrEqual(runners);
        const runs = arrivals.map(({ atMs, task: one }) => {
          const from = starts.get(one.id) ?? Number.NaN;
          return { ...one, atMs, from, to: from + one.durationMs };
        });
        expect(played.makespanMs).toBe(Math.max(...runs.map(({ to }) => to)));
        for (const one of runs) {
          expect(one.from).toBeGreaterThanOrEqual(one.atMs);
          for (const id of one.after ?? []) expect(one.from).toBeGreaterThanOrEqual(runs[id]?.to ?? Number.NaN);
          for (const other of runs.filter(({ id }) => id > one.id)) {
            const meet = one.nodes.some((a) => other.nodes.some((b) => a.name === b.name && conflicts(a.mode, b.mode)));
            if (meet) expect(one.to <= other.from || other.to <= one.from).toBe(true);
          }
        }
      },
    ),
    { numRuns: 300 },
  );
});

test('a thousand tasks of one owner delay another’s single one by what runs and the first in line, no more', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 9_000 }), (comesAt) => {
      const many = Array.from({ length: 1_000 }, (_, id) => at(0, task(id, [`f${id}`])));
      const arrivals = [...many, at(comesAt, task(1_000, ['g'], { owner: 'bob' }))];
      const { starts } = play({ ...FLEET, runners: 1 }, arrivals);
      const startsAt = starts.get(1_000) ?? Number.NaN;
      expect(startsAt).toBeLessThanOrEqual(10 * (Math.ceil(comesAt / 10) + 1));
      const passed = [...starts].filter(([id, start]) => id < 1_000 && start > comesAt && start < startsAt);
      expect(passed.length).toBeLessThanOrEqual(1);
    }),
    { numRuns: 20 },
  );
});

test('a task for the whole repository among endless small ones starts within its bound', () => {
  const longestMs = 40;
  const keepAfterMs = 500;
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 10, max: longestMs }), { minLength: 20 }), (durations) => {
      function* endless(): Generator<Arrival> {
        for (let id = 0; id < 2_000; id += 1) {
          yield at(id, task(id, [`f${id}`], { durationMs: durations[id % durations.length] ?? 10 }));
          if (id === 100) yield at(id, task(5_000, ['**']));
        }
      }
      const { starts } = play({ ...FLEET, keepAfterMs }, endless());
      const waited = (starts.get(5_000) ?? Number.NaN) - 100;
      // It is passed until the bound, noticed at the next release, and then what runs must end.
      expect(waited).toBeLessThanOrEqual(keepAfterMs + 2 * longestMs);
      expect(waited).toBeGreaterThanOrEqual(keepAfterMs);
    }),
    { numRuns: 20 },
  );
});

test('a quota holds its owner’s tasks back and nobody else’s', () => {
  const own = (id: number, owner: string): Arrival =>
    at(0, { ...task(id, []), owner, nodes: claimSet({ repoKey, write: [`f${id}`], read: [], owner }) });
  const arrivals = [own(0, 'ann'), own(1, 'ann'), own(2, 'ann'), own(3, 'bob'), own(4, 'bob')];
  const { starts, played } = play({ ...FLEET, limits: new Map([['owner:ann', 1]]) }, arrivals);
  expect([...starts]).toEqual([
    [0, 0],
    [3, 0],
    [4, 0],
    [1, 10],
    [2, 20],
  ]);
  expect(played.mostRunning).toBe(3);
});

test('who does not wait is refused, and so is who comes after it', () => {
  const arrivals = [
    at(0, task(0, ['a'])),
    at(0, task(1, ['a'], { policy: 'refuse' })),
    at(0, task(2, ['b'], { after: [1] })),
    at(0, task(3, ['c'], { after: [2] })),
    at(5, task(4, ['d'], { after: [3] })),
  ];
  const refused: number[] = [];
  const played = simulate(FLEET, arrivals, { refused: ({ id }) => void refused.push(id) });
  expect(refused).toEqual([1, 2, 3, 4]);
  expect(played).toMatchObject({ started: 1, refused: 4, stuck: 0 });
});

test('a resource without a capacity is waited for for ever', () => {
  const nodes = claimSet({ repoKey, write: [], read: [], resources: ['db'] });
  expect(simulate(FLEET, [at(0, task(0, [], { nodes }))])).toMatchObject({ started: 0, stuck: 1 });
});
