import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Durations, type PastRun } from '../../../src/client/durations.ts';

const run = (durationMs: number, more: Partial<PastRun> = {}): PastRun => ({
  title: 'other title',
  owner: 'other owner',
  spec: null,
  repoKey: 'other/repo',
  durationMs,
  ...more,
});
const kind = { title: 't', owner: 'o', spec: 's', repoKey: 'r' };

describe('what a run is expected to take', () => {
  test('is told by the closest kind that is known', () => {
    const ladder = [
      run(5),
      run(4, { repoKey: 'r' }),
      run(3, { repoKey: 'r', owner: 'o' }),
      run(2, { spec: 's' }),
      run(1, kind),
    ];
    const expected = ladder.map((_, i) => new Durations(ladder.slice(0, i + 1)).remaining(kind));
    expect(expected).toEqual([5, 4, 3, 2, 1]);
  });

  test('is not known when nothing has run', () => {
    expect(new Durations([]).remaining(kind)).toBeUndefined();
  });

  test('is the median of the newest 50', () => {
    const newest = Array.from({ length: 50 }, (_, i) => run(i + 1, kind));
    const older = Array.from({ length: 500 }, () => run(1_000_000, kind));
    expect(new Durations([...newest, ...older]).remaining(kind)).toBe(25);
  });

  test('counts, for a run that is under way, only those that took longer', () => {
    const durations = new Durations([run(10, kind), run(20, kind), run(1_000, kind)]);
    expect(durations.remaining(kind, 0)).toBe(20);
    expect(durations.remaining(kind, 15)).toBe(5);
    expect(durations.remaining(kind, 20)).toBe(980);
  });

  test('is a share of what has passed when it is overdue', () => {
    expect(new Durations([run(10, kind)]).remaining(kind, 100)).toBe(10);
  });

  test('is never less than nothing, and known once anything has run', () => {
    const sizes = fc.array(fc.nat(10_000), { minLength: 1, maxLength: 60 });
    fc.assert(
      fc.property(sizes, fc.nat(20_000), (past, elapsed) => {
        const rest = new Durations(past.map((ms) => run(ms))).remaining(kind, elapsed);
        expect(rest).toBeGreaterThanOrEqual(0);
      }),
    );
  });
});
