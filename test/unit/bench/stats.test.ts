import { describe, expect, it } from 'vitest';
import { gaps, makespan, overlaps, percentile, shown, spread } from '../../../scripts/bench/stats.ts';
import { disjoint } from '../../../scripts/bench/workload.ts';

const note = (task: number, [from, to]: readonly [number, number]) => ({ task, from, to });

describe('the figures', () => {
  it('take percentiles by the nearest rank', () => {
    const values = [5, 1, 4, 2, 3];
    expect(percentile(values, 0.5)).toBe(3);
    expect(percentile(values, 0.99)).toBe(5);
    expect(percentile([7], 0.01)).toBe(7);
    expect(percentile([], 0.5)).toBeNaN();
    expect(spread(values)).toEqual({ count: 5, min: 1, median: 3, max: 5 });
    expect(shown(spread(values), 1)).toBe('3.0 (1.0 to 5.0)');
    expect(shown(spread([7]))).toBe('7');
  });

  it('measure from the first start to the last end, and the gaps between', () => {
    const notes = [note(1, [20, 30]), note(0, [5, 12]), note(2, [31, 33])];
    expect(makespan(notes)).toBe(28);
    expect(gaps(notes)).toEqual([8, 1]);
  });
});

describe('the search for overlaps', () => {
  const sharing = [
    { branch: 'a', files: ['x'], ms: 1 },
    { branch: 'b', files: ['x', 'y'], ms: 1 },
    { branch: 'a', files: ['z'], ms: 1 },
  ];

  it('finds two that shared a branch or a file at the same time', () => {
    expect(overlaps([note(0, [0, 10]), note(1, [9, 20])], sharing)).toEqual(['tasks 0 and 1 both had file:x']);
    expect(overlaps([note(2, [5, 6]), note(0, [0, 10])], sharing)).toEqual(['tasks 0 and 2 both had branch:a']);
  });

  it('finds one that overlaps an earlier, longer one, not only its neighbour', () => {
    const tasks = [0, 1, 2].map(() => ({ branch: 'a', files: [], ms: 1 }));
    expect(overlaps([note(0, [0, 100]), note(1, [10, 20]), note(2, [30, 40])], tasks)).toHaveLength(2);
  });

  it('lets pass what shares nothing, and what comes right after', () => {
    expect(overlaps([note(0, [0, 10]), note(1, [0, 10])], disjoint(2))).toEqual([]);
    expect(overlaps([note(0, [0, 10]), note(1, [10, 20])], sharing)).toEqual([]);
  });
});
