import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { claimSet } from '../../../src/claims/claim-set.ts';
import { conflicts } from '../../../src/claims/modes.ts';
import { forecast, type NeededNode, type Running, type Situation, type Waiting } from '../../../src/client/forecast.ts';

const writes = (...write: string[]): NeededNode[] => claimSet({ repoKey: 'r', write, read: [] });
const running = (id: string, nodes: NeededNode[], remainingMs: number): Running => ({
  id,
  nodes,
  isTask: true,
  remainingMs,
});
const waiting = (id: string, nodes: NeededNode[], more: Partial<Waiting> = {}): Waiting => ({
  id,
  rank: Number(id.replace(/\D/g, '')),
  nodes,
  isTask: true,
  state: 'blocked',
  waitedMs: 0,
  class: 2,
  durationMs: 10,
  after: [],
  ...more,
});
const starts = (situation: Partial<Situation>): Record<string, number> => {
  const whole = { slots: 4, keepAfterMs: 60_000, limits: new Map(), running: [], waiting: [], ...situation };
  return Object.fromEntries(
    forecast(
      whole,
      whole.waiting.map(({ id }) => id),
    ),
  );
};

describe('a task is likely to start', () => {
  test('when its holder has ended and those ahead of it have run', () => {
    const line = [waiting('w1', writes('a/x')), waiting('w2', writes('a')), waiting('w3', writes('a/y'))];
    expect(starts({ running: [running('h', writes('a'), 100)], waiting: line })).toEqual({ w1: 100, w2: 110, w3: 100 });
  });

  test('at once when nothing is in its way, and when a runner is free', () => {
    const line = [1, 2, 3].map((i) => waiting(`w${i}`, writes(`f${i}`), { state: 'queued' }));
    expect(starts({ slots: 1, waiting: line })).toEqual({ w1: 0, w2: 10, w3: 20 });
    expect(starts({ slots: 3, waiting: line })).toEqual({ w1: 0, w2: 0, w3: 0 });
  });

  test('after those that it depends on', () => {
    const line = [
      waiting('w1', writes('a'), { state: 'queued', after: ['h', 'w2'] }),
      waiting('w2', writes('b'), { state: 'queued', durationMs: 7 }),
    ];
    expect(starts({ running: [running('h', writes('c'), 5)], waiting: line })).toEqual({ w1: 7, w2: 0 });
  });

  test('before later ones that pass it no more once it has waited too long', () => {
    const line = [
      waiting('w1', writes('.'), { waitedMs: 1_000 }),
      waiting('w2', writes('b'), { state: 'queued' }),
      waiting('w3', writes('a')),
    ];
    const held = [running('h1', writes('a'), 5), running('h2', writes('c'), 50)];
    const patient = starts({ running: held, waiting: line });
    expect(patient).toEqual({ w1: 50, w2: 0, w3: 5 });
    // At 5 ms it is passed over by w3 for good; what it wants is kept from then on.
    expect(starts({ running: held, waiting: line, keepAfterMs: 100 })).toEqual({ w1: 50, w2: 0, w3: 60 });
  });

  test('when a slot of what is counted is free', () => {
    const slot: NeededNode[] = [{ name: '#owner:o', mode: 'slot' }];
    const line = [waiting('w1', slot), waiting('w2', slot), waiting('w3', slot)];
    const held = [running('h', slot, 4)];
    const limits = new Map([['owner:o', 2]]);
    expect(starts({ running: held, waiting: line, limits })).toEqual({ w1: 0, w2: 4, w3: 10 });
    expect(starts({ running: held, waiting: line, limits: new Map([['owner:o', 0]]) })).toEqual({});
  });
});

describe('nobody can tell when', () => {
  test('there is no runner, or nobody knows how long the holder will go on', () => {
    expect(starts({ slots: 0, waiting: [waiting('w1', writes('a'))] })).toEqual({});
    const held = [running('h', writes('a'), Number.POSITIVE_INFINITY)];
    const line = [waiting('w1', writes('a')), waiting('w2', writes('b'))];
    expect(starts({ running: held, waiting: line })).toEqual({ w2: 0 });
  });

  test('it depends on one that is not here', () => {
    expect(starts({ waiting: [waiting('w1', writes('a'), { state: 'queued', after: ['gone'] })] })).toEqual({});
  });
});

const paths = fc.uniqueArray(fc.constantFrom('a', 'a/x', 'a/y', 'b', 'b/x', '.'), { minLength: 1, maxLength: 2 });
const situations = fc.record({
  slots: fc.integer({ min: 1, max: 4 }),
  keepAfterMs: fc.constantFrom(0, 20, 100_000),
  waiting: fc
    .array(fc.record({ paths, durationMs: fc.integer({ min: 1, max: 30 }), queued: fc.boolean() }), { maxLength: 12 })
    .map((list) =>
      list.map((one, i) =>
        waiting(`w${i}`, writes(...one.paths), {
          durationMs: one.durationMs,
          state: one.queued ? 'queued' : 'blocked',
        }),
      ),
    ),
});

test('in every forecast all start, within the slots, and no two that exclude each other are together', () => {
  fc.assert(
    fc.property(situations, (situation) => {
      const at = starts(situation);
      expect(Object.keys(at)).toHaveLength(situation.waiting.length);
      const runs = situation.waiting.map((one) => ({ ...one, from: at[one.id] ?? -1 }));
      for (const one of runs) {
        const beside = runs.filter(({ from, durationMs }) => from <= one.from && one.from < from + durationMs);
        expect(beside.length).toBeLessThanOrEqual(situation.slots);
        for (const other of beside.filter(({ id }) => id !== one.id)) {
          const meet = one.nodes.some((mine) =>
            other.nodes.some((theirs) => theirs.name === mine.name && conflicts(theirs.mode, mine.mode)),
          );
          expect(meet, `${one.id} beside ${other.id}`).toBe(false);
        }
      }
    }),
  );
});
