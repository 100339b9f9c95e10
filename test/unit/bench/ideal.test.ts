import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { idealMakespan } from '../../../scripts/bench/ideal.ts';
import { type BenchTask, resourcesOf } from '../../../scripts/bench/workload.ts';

const task = (branch: string, ms: number, files: readonly string[] = []): BenchTask => ({ branch, files, ms });

describe('the ideal scheduler', () => {
  it('needs no time for nothing', () => {
    expect(idealMakespan([], 4)).toBe(0);
  });

  it('runs what shares nothing side by side, as many as there are slots', () => {
    const tasks = ['a', 'b', 'c', 'd'].map((branch) => task(branch, 10));
    expect(idealMakespan(tasks, 4)).toBe(10);
    expect(idealMakespan(tasks, 2)).toBe(20);
    expect(idealMakespan(tasks, 1)).toBe(40);
  });

  it('runs one after the other what shares a branch or a file', () => {
    expect(idealMakespan([task('a', 10), task('a', 20)], 4)).toBe(30);
    expect(idealMakespan([task('a', 10, ['x', 'y']), task('b', 20, ['y'])], 4)).toBe(30);
  });

  it('lets a later task pass one that must wait', () => {
    expect(idealMakespan([task('a', 10), task('a', 10), task('b', 20)], 2)).toBe(20);
  });

  it('starts a task in the moment in which a slot and all it needs are free', () => {
    // b starts at 0 beside a; c takes a's slot at 5; d, which needs both branches' file, starts when b ends.
    const tasks = [task('a', 5), task('b', 8, ['x']), task('c', 6), task('d', 4, ['x'])];
    expect(idealMakespan(tasks, 2)).toBe(12);
  });

  it('keeps the order given when two could start', () => {
    expect(idealMakespan([task('a', 1), task('b', 10), task('c', 1)], 1)).toBe(12);
    expect(idealMakespan([task('a', 4), task('b', 4), task('c', 8)], 2)).toBe(12);
  });

  it('is never faster than the work on its slots or on any one thing, nor slower than one after the other', () => {
    const tasks = fc.array(
      fc.record({
        branch: fc.constantFrom('a', 'b', 'c'),
        files: fc.uniqueArray(fc.constantFrom('x', 'y', 'z'), { maxLength: 2 }),
        ms: fc.integer({ min: 1, max: 9 }),
      }),
      { maxLength: 15 },
    );
    fc.assert(
      fc.property(tasks, fc.integer({ min: 1, max: 4 }), (list, slots) => {
        const total = list.reduce((sum, { ms }) => sum + ms, 0);
        const uses = list.flatMap((one) => resourcesOf(one).map((resource) => ({ resource, ms: one.ms })));
        const busiest = Math.max(
          0,
          ...uses.map(({ resource }) =>
            uses.filter((use) => use.resource === resource).reduce((sum, { ms }) => sum + ms, 0),
          ),
        );
        const span = idealMakespan(list, slots);
        expect(span).toBeGreaterThanOrEqual(Math.max(total / slots, busiest));
        expect(span).toBeLessThanOrEqual(total);
      }),
    );
  });
});
