import { describe, expect, test } from 'vitest';
import { HotSums, waitsOf, wouldFit } from '../../../src/client/hot.ts';

const party = (
  more: { write?: string[]; read?: string[]; changed?: string[]; branch?: string; owner?: string } = {},
) => ({
  repo: 'https://git.example.com/r',
  repoKey: 'r',
  branch: more.branch ?? `own-${JSON.stringify(more)}`,
  owner: more.owner ?? 'o',
  state: 'succeeded' as const,
  envelope: JSON.stringify({ v: 1, task: { claims: { write: more.write ?? [], read: more.read ?? [] } } }),
  filesChanged: more.changed ?? [],
});
const conflict = (resource: string, holderTaskId: string | null = null) => ({ resource, holderTaskId, at: '' });

describe('the waits of a task', () => {
  const times = [
    { state: 'queued', at: 0 },
    { state: 'blocked', at: 10 },
    { state: 'running', at: 30 },
    { state: 'queued', at: 40 },
    { state: 'blocked', at: 50 },
  ] as const;

  test('last from blocked to whatever came next, or until now', () => {
    const found = [conflict('path:a', 'h1'), conflict('branch:b', 'h2')];
    expect(waitsOf({ conflicts: found, code: null }, times, 100)).toEqual([
      { resource: 'path:a', holderTaskId: 'h1', waitMs: 20 },
      { resource: 'branch:b', holderTaskId: 'h2', waitMs: 50 },
    ]);
  });

  test('are told from the newest back, since the oldest may be trimmed', () => {
    expect(waitsOf({ conflicts: [conflict('path:a')], code: null }, times, 60)).toMatchObject([{ waitMs: 10 }]);
    const more = [conflict('path:x'), conflict('path:a'), conflict('path:b')];
    expect(waitsOf({ conflicts: more, code: null }, times, 60)).toMatchObject([
      { resource: 'path:a', waitMs: 20 },
      { resource: 'path:b', waitMs: 10 },
    ]);
  });

  test('do not count the refusal that ended it', () => {
    const found = [conflict('path:a'), conflict('path:a'), conflict('path:a')];
    expect(waitsOf({ conflicts: found, code: 'wait_timeout' }, times, 60)).toHaveLength(2);
    expect(waitsOf({ conflicts: [conflict('path:a')], code: 'conflict' }, [], 60)).toEqual([]);
  });
});

describe('a finer claim of the holder', () => {
  const waiter = party({ write: ['src/b/**'] });

  test('would have let others in who claim nothing that it changed', () => {
    expect(wouldFit(waiter, party({ write: ['src/**'], changed: ['src/a/x.ts'] }))).toBe(true);
    expect(wouldFit(waiter, party({ write: ['src/**'], changed: ['src/a/x.ts', 'src/b/y.ts'] }))).toBe(false);
  });

  test('would still hold what it reads, and its branch', () => {
    expect(wouldFit(waiter, party({ write: ['src/**'], read: ['src/b'], changed: ['src/a/x.ts'] }))).toBe(false);
    const same = { write: ['src/**'], changed: ['src/a/x.ts'], branch: waiter.branch };
    expect(wouldFit(waiter, party(same))).toBe(false);
  });

  test('is not known of one that failed or of which no change is known', () => {
    expect(wouldFit(waiter, party({ write: ['src/**'] }))).toBe(false);
    expect(wouldFit(waiter, { ...party({ write: ['src/**'], changed: ['a'] }), state: 'failed' })).toBe(false);
  });
});

test('waits are added up by resource, the costliest first', () => {
  const sums = new HotSums();
  const wide = party({ write: ['src/**'], changed: ['src/a/x.ts'] });
  const holders = new Map([['wide', wide]]);
  const wait = (resource: string, waitMs: number) => ({ resource, holderTaskId: 'wide', waitMs });
  sums.add(party({ write: ['src/b'], owner: 'one' }), [wait('path:src', 5), wait('path:src', 7)], holders);
  sums.add(party({ write: ['src/a'], owner: 'two' }), [wait('path:src', 10)], holders);
  sums.add(party({ owner: 'two' }), [wait('resource:db', 30)], holders);
  expect(sums.costliest(2)).toEqual([
    {
      ...{ repo: '', resource: 'resource:db', waitMs: 30, waits: 1, tasks: 1, longestMs: 30 },
      ...{ byOwner: { two: 30 }, finerClaimMs: 0 },
    },
    {
      ...{ repo: wide.repo, resource: 'path:src', waitMs: 22, waits: 3, tasks: 2, longestMs: 10 },
      ...{ byOwner: { one: 12, two: 10 }, finerClaimMs: 12 },
    },
  ]);
  expect(sums.costliest(1)).toHaveLength(1);
});
