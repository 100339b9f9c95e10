import { describe, expect, it } from 'vitest';
import { lanesOf, renderTimeline } from '../../../scripts/demo/timeline.ts';

const bar = (worker: string, name: string, [from, to]: readonly [number, number]) => ({ worker, name, from, to });

describe('the lanes', () => {
  it('hold runs that do not overlap, as few lanes a worker as it takes', () => {
    const lanes = lanesOf([
      bar('B', 'z', [0, 5]),
      bar('A', 'x', [0, 10]),
      bar('A', 'y', [5, 9]),
      bar('A', 'w', [9, 12]),
    ]);
    expect(lanes.map(({ name, bars }) => [name, bars.map((one) => one.name)])).toEqual([
      ['A.1', ['x']],
      ['A.2', ['y', 'w']],
      ['B.1', ['z']],
    ]);
  });
});

describe('the timeline', () => {
  it('draws bars to scale, named as far as they have room', () => {
    const lanes = lanesOf([bar('A', 'one', [0, 500]), bar('A', 'longer', [600, 800]), bar('B', 'two', [500, 1_000])]);
    expect(renderTimeline(lanes, 24)).toEqual([
      'A.1 ▐one━━━━━━··▐lon····',
      'B.1 ··········▐two━━━━━━',
      '    0 s            1.0 s',
    ]);
  });

  it('shows a run that is too short for a column, and keeps to its width', () => {
    const lanes = lanesOf([bar('A', 'short', [999, 1_000]), bar('A', 'long', [0, 999])]);
    for (const line of renderTimeline(lanes, 20)) expect(Array.from(line).length).toBeLessThanOrEqual(20);
    expect(renderTimeline(lanes, 20)[0]?.match(/▐/g)).toHaveLength(2);
  });

  it('is only an axis when nothing ran', () => {
    expect(renderTimeline([], 20)).toEqual([' 0 s           0.0 s']);
  });
});
