import { describe, expect, test } from 'vitest';
import { runOf } from '../../../src/server/timeline.ts';

const record = {
  id: 't1',
  state: 'succeeded',
  code: null,
  title: 'a task',
  branch: 'b',
  owner: 'o',
  run: 2,
  runnerId: 'r-2',
  workerId: 'w-1',
  phases: [{ name: 'implement', state: 'succeeded', startedAt: 'x', durationMs: 5, steps: [] }],
  conflicts: [{ resource: 'path:a', holderTaskId: 't0', at: 'x' }],
  finishedAt: 9_000,
} as const;
const times = [
  { state: 'queued', at: 0 },
  { state: 'blocked', at: 1_000 },
  { state: 'running', at: 3_000 },
  { state: 'queued', at: 4_000 },
  { state: 'running', at: 5_000 },
] as const;
const iso = (ms: number): string => new Date(ms).toISOString();

describe('a run on the timeline', () => {
  test('is the newest of its task, from its beginning to its end', () => {
    const [run] = runOf({ record, times: [...times, { state: 'succeeded', at: 9_000 }] });
    expect(run).toMatchObject({ taskId: 't1', run: 2, startedAt: iso(5_000), finishedAt: iso(9_000) });
    expect(run?.phases).toEqual([{ name: 'implement', state: 'succeeded', startedAt: 'x', durationMs: 5 }]);
    expect(run?.waits).toEqual([{ resource: 'path:a', holderTaskId: 't0', from: iso(1_000), to: iso(3_000) }]);
  });

  test('has no end while it lasts', () => {
    expect(runOf({ record: { ...record, state: 'running', finishedAt: null }, times })[0]?.finishedAt).toBeNull();
  });

  test('is none of a task that never ran', () => {
    expect(runOf({ record: { ...record, state: 'cancelled' }, times: [{ state: 'cancelled', at: 1 }] })).toEqual([]);
  });
});
