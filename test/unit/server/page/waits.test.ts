import { describe, expect, it } from 'vitest';
import type { TimelineRun } from '../../../../src/server/page/api/shapes.ts';
import { type Bar, HEAD_PX, LANE_PX } from '../../../../src/server/page/timeline/lanes.ts';
import { waitersOf } from '../../../../src/server/page/timeline/waiters.ts';
import { waitingLanes, waitLines } from '../../../../src/server/page/timeline/waits.ts';

const NOW = Date.parse('2026-03-09T12:00:00Z');

interface Made {
  readonly top: number;
  readonly time: readonly [number, number];
  readonly waits?: TimelineRun['waits'];
}

function bar(taskId: string, { top, time: [from, to], waits = [] }: Made): Bar {
  const run = { taskId, title: taskId, branch: 'b', waits } as unknown as TimelineRun;
  return { run, from, to, top, isRunning: to === NOW };
}

function waiter(taskId: string, secondsAgo: number, holderTaskId: string | null = null) {
  const since = new Date(NOW - secondsAgo * 1_000).toISOString();
  return { taskId, resource: 'path:src', since, holderTaskId, title: taskId, branch: taskId };
}

const NONE = waitingLanes([], 0);

describe('those who wait now', () => {
  it('have lanes below all others, the longest wait first, and the rest is counted', () => {
    const waiters = Array.from({ length: 15 }, (_, i) => waiter(`t${i}`, i));
    const lanes = waitingLanes(waiters, 500);
    expect(lanes.shown[0]).toMatchObject({ taskId: 't14', top: 500 + HEAD_PX });
    expect(lanes.shown[1]?.top).toBe(500 + HEAD_PX + LANE_PX);
    expect([lanes.shown.length, lanes.more]).toEqual([12, 3]);
  });

  it('are not those who run and wait for more', () => {
    const holder = { kind: 'run', taskId: 'held', runnerId: 'r', workerId: 'w', since: null } as const;
    const wait = { resource: 'path:a', position: 1, since: '2026-03-09T11:00:00Z', passedOver: 0, holder };
    const made = waitersOf({
      claims: {
        waiting: [
          { taskId: 'runs', ...wait },
          { taskId: 'waits', ...wait, holder: null },
        ],
      },
      blocked: { tasks: [{ id: 'waits', title: 'Wait', branch: 'w' }] },
      timeline: { runs: [{ taskId: 'runs', finishedAt: null }] },
    });
    expect(made).toEqual([
      { taskId: 'waits', resource: 'path:a', since: wait.since, holderTaskId: null, title: 'Wait', branch: 'w' },
    ]);
  });
});

describe('the line of a wait', () => {
  it('leads to the run that the holder had then, not to a later one', () => {
    const waits = [{ resource: 'path:a', holderTaskId: 'h', from: at(60), to: at(40) }];
    const bars = [
      bar('h', { top: 10, time: [NOW - 90_000, NOW - 40_000] }),
      bar('h', { top: 90, time: [NOW - 20_000, NOW - 10_000] }),
      bar('w', { top: 50, time: [NOW - 39_000, NOW], waits }),
    ];
    expect(waitLines(bars, NONE, NOW)).toMatchObject([
      { taskId: 'w', holderTop: 10, top: 50, from: NOW - 60_000, to: NOW - 40_000, isWaiting: false, track: 0 },
    ]);
  });

  it('leads nowhere when the holder is not on the screen', () => {
    const lanes = waitingLanes([waiter('w', 5, 'elsewhere')], 0);
    expect(waitLines([], lanes, NOW)).toMatchObject([{ holderTop: undefined, isWaiting: true, to: NOW }]);
  });

  it('stands beside those to other holders that are waited for now', () => {
    const bars = [bar('h1', { top: 10, time: [NOW - 9_000, NOW] }), bar('h2', { top: 40, time: [NOW - 9_000, NOW] })];
    const lanes = waitingLanes([waiter('a', 3, 'h1'), waiter('b', 2, 'h2'), waiter('c', 1, 'h1')], 100);
    expect(waitLines(bars, lanes, NOW).map(({ taskId, track }) => [taskId, track])).toEqual([
      ['a', 0],
      ['b', 1],
      ['c', 0],
    ]);
  });
});

function at(secondsAgo: number): string {
  return new Date(NOW - secondsAgo * 1_000).toISOString();
}
