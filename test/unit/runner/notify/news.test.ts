import { expect, test } from 'vitest';
import { blockedFor, endOf } from '../../../../src/runner/notify/news.ts';

const record = {
  id: 't1',
  state: 'failed',
  code: 'test_failed',
  title: 'A task',
  repo: 'https://git.example.com/a.git',
  branch: 'task/a',
  owner: 'ann',
  finishedAt: 1_000,
  conflicts: [],
} as const;

test('an end is told with what somebody needs who is to do something about it, and nothing else', () => {
  const news = endOf({ ...record, error: 'its output', envelope: '{"env":{}}' } as typeof record, 'web');
  expect(news).toMatchObject({ kind: 'failed', id: 'task.failed.t1' });
  expect(JSON.parse(news?.body ?? '')).toEqual({
    type: 'task.failed',
    at: '1970-01-01T00:00:01.000Z',
    queue: 'web',
    task: {
      id: 't1',
      state: 'failed',
      code: 'test_failed',
      title: 'A task',
      repo: 'https://git.example.com/a.git',
      branch: 'task/a',
      owner: 'ann',
    },
    summary: 'A test step failed in every attempt, so nothing was published.',
    next: expect.stringContaining('signalbox explain t1') as unknown,
  });
});

test.each([
  ['succeeded', null, 'succeeded'],
  ['failed', 'timeout', 'failed'],
  ['failed', 'crashed', 'set_aside'],
  ['failed', 'invalid', 'set_aside'],
  ['cancelled', 'cancelled', undefined],
  ['skipped', 'dependency_failed', undefined],
] as const)('%s with code %s is %s', (state, code, kind) => {
  expect(endOf({ ...record, state, code }, 'web')?.kind).toBe(kind);
});

test('of a blocked task it is told what it waits for and who has that; each time it is blocked is news of its own', () => {
  const conflicts = [
    { resource: 'path:a', holderTaskId: 't0', at: '' },
    { resource: 'branch:b', holderTaskId: null, at: '' },
  ];
  const blocked = { ...record, state: 'blocked', code: null } as const;
  const [first, last] = conflicts as [(typeof conflicts)[0], (typeof conflicts)[0]];
  expect(JSON.parse(blockedFor({ ...blocked, conflicts: [first] }, 5, 'web').body)).toMatchObject({
    type: 'task.blocked',
    at: '1970-01-01T00:00:00.005Z',
    summary: 'The task waits for path:a, which task t0 holds.',
  });
  expect(blockedFor({ ...blocked, conflicts: [first, last] }, 5, 'web').body).toContain('waits for branch:b.');
  expect(blockedFor(blocked, 5, 'web').id).not.toBe(blockedFor(blocked, 6, 'web').id);
});
