import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { TimelineRun, TimelineWorker } from '../../../../src/server/page/api/shapes.ts';
import { HEAD_PX, LANE_PX, lanesOf, segmentsOf, slotsOf } from '../../../../src/server/page/timeline/lanes.ts';

const NOW = Date.parse('2026-03-09T12:00:00Z');

function iso(secondsAgo: number): string {
  return new Date(NOW - secondsAgo * 1_000).toISOString();
}

function worker(name: string, concurrency = 2): TimelineWorker {
  return { id: `w-${name}`, name, host: 'host', leaseMs: 9_000, concurrency, running: 0 };
}

function run(taskId: string, workerId: string, [from, to]: readonly [number, number | null]): TimelineRun {
  return {
    ...{ taskId, workerId, title: taskId, branch: taskId, owner: 'me', runnerId: `r-${taskId}`, run: 1, code: null },
    state: to === null ? 'running' : 'succeeded',
    startedAt: iso(from),
    finishedAt: to === null ? null : iso(to),
    phases: [],
    waits: [],
  };
}

describe('the slots of a worker', () => {
  it('hold no two runs at one time, and are as few as can be', () => {
    const span = fc.record({ from: fc.nat(1_000), length: fc.nat(300) });
    fc.assert(
      fc.property(fc.array(span, { maxLength: 60 }), (made) => {
        const spans = made.map(({ from, length }) => ({ from, to: from + length })).toSorted((a, b) => a.from - b.from);
        const slots = slotsOf(spans, 0);
        for (const [i, one] of spans.entries()) {
          for (const [j, other] of spans.entries()) {
            if (i < j && slots[i] === slots[j]) expect(other.from).toBeGreaterThanOrEqual(one.to);
          }
        }
        // A run that ended as it began has had a slot too.
        const atOnce = spans.map(
          (one) => spans.filter((other) => other === one || (other.from <= one.from && one.from < other.to)).length,
        );
        expect(new Set(slots).size).toBeLessThanOrEqual(Math.max(1, ...atOnce));
      }),
    );
  });

  it('are not doubled by clocks that differ a little', () => {
    const spans = [
      { from: 0, to: 1_100 },
      { from: 1_000, to: 2_000 },
    ];
    expect(slotsOf(spans)).toEqual([0, 0]);
    expect(slotsOf(spans, 0)).toEqual([0, 1]);
  });
});

describe('the lanes', () => {
  it('are grouped by worker, the living by name first, with a lane for each slot also when it is empty', () => {
    const { groups, height } = lanesOf([worker('b'), worker('a', 3)], [run('t1', 'w-dead', [60, 50])], NOW);
    expect(groups.map(({ workerId, lanes, worker: living }) => [workerId, lanes, living?.name])).toEqual([
      ['w-a', 3, 'a'],
      ['w-b', 2, 'b'],
      ['w-dead', 1, undefined],
    ]);
    expect(height).toBe(3 * HEAD_PX + 6 * LANE_PX);
  });

  it('put each run below its worker, beside what ran at the same time', () => {
    const runs = [run('t1', 'w-a', [60, 30]), run('t2', 'w-a', [50, null]), run('t3', 'w-a', [20, null])];
    const { bars } = lanesOf([worker('a')], runs, NOW);
    expect(bars.map(({ run: { taskId }, top, isRunning }) => [taskId, (top - HEAD_PX) / LANE_PX, isRunning])).toEqual([
      ['t1', 0, false],
      ['t2', 1, true],
      ['t3', 0, true],
    ]);
    expect(bars[1]?.to).toBe(NOW);
  });
});

describe('the phases of a run', () => {
  it('fill its bar without gaps, the running one to its end, skipped ones not at all', () => {
    const phases = [
      { name: 'prepare', state: 'succeeded', startedAt: iso(58), durationMs: 7_000 },
      { name: 'implement', state: 'running', startedAt: iso(50), durationMs: null },
      { name: 'test', state: 'skipped', startedAt: iso(50), durationMs: null },
    ] as const;
    const bar = { run: { ...run('t1', 'w', [60, null]), phases }, from: NOW - 60_000, to: NOW };
    expect(segmentsOf(bar).map(({ name, from, to }) => [name, NOW - from, NOW - to])).toEqual([
      ['prepare', 60_000, 50_000],
      ['implement', 50_000, 0],
    ]);
  });
});
