import fc from 'fast-check';
import { expect, test } from 'vitest';
import { bullPriority, LEAD_TASKS, PRIORITIES, QUANTUM, rankOf, shouldRebase } from '../../../src/waiting/rank.ts';

const BULL_RANGE = 2_097_151;
/** A billion tasks of one owner: virtual time does not get further. */
const starts = fc.nat({ max: 2 ** 40 - 1 });
const priority = fc.constantFrom(...PRIORITIES);

test('urgent comes before all else, whenever it came', () => {
  fc.assert(
    fc.property(starts, starts, fc.constantFrom('high', 'normal', 'low'), (one, other, lower) => {
      expect(rankOf('urgent', one)).toBeLessThan(rankOf(lower, other));
    }),
  );
});

test('within a priority who starts earlier comes first; between two, the lead is so many tasks', () => {
  fc.assert(
    fc.property(priority, starts, starts, (same, one, other) => {
      expect(Math.sign(rankOf(same, one) - rankOf(same, other))).toBe(Math.sign(one - other));
    }),
  );
  const lead = LEAD_TASKS * QUANTUM;
  expect(rankOf('high', 0)).toBeLessThan(rankOf('normal', 0));
  expect(rankOf('high', lead)).toBe(rankOf('normal', 0));
  expect(rankOf('normal', lead)).toBe(rankOf('low', 0));
});

test('BullMQ’s priority never turns the order of two ranks round, and is always one that BullMQ takes', () => {
  fc.assert(
    fc.property(priority, priority, fc.tuple(starts, starts, starts), (one, other, [a, b, base]) => {
      const ranks = [rankOf(one, a), rankOf(other, b)].sort((x, y) => x - y) as [number, number];
      const [before, after] = ranks.map((rank) => bullPriority(rank, base)) as [number, number];
      expect(before).toBeLessThanOrEqual(after);
      expect(before).toBeGreaterThanOrEqual(1);
      expect(after).toBeLessThanOrEqual(BULL_RANGE);
      expect(Number.isInteger(before) && Number.isInteger(after)).toBe(true);
    }),
  );
});

test('BullMQ’s priority tells tasks of one owner apart, up to 90,000 in line', () => {
  const near = fc.nat({ max: 90_000 });
  fc.assert(
    fc.property(near, near, starts, (one, other, base) => {
      fc.pre(one !== other);
      const [a, b] = [one, other].map((tasks) => bullPriority(rankOf('low', base + tasks * QUANTUM), base));
      expect(Math.sign((a ?? 0) - (b ?? 0))).toBe(Math.sign(one - other));
    }),
  );
});

test('the base moves before BullMQ’s priorities run out', () => {
  const far = 90_000 * QUANTUM;
  expect(shouldRebase(0, 0)).toBe(false);
  expect(shouldRebase(0, far)).toBe(true);
});
