import { describe, expect, test } from 'vitest';
import { type ClaimSpec, claimSet } from '../../../src/claims/claim-set.ts';
import { type PlannedTask, plan } from '../../../src/waiting/plan.ts';
import type { Fleet } from '../../../src/waiting/simulation.ts';

const FLEET: Fleet = { runners: Number.POSITIVE_INFINITY, keepAfterMs: 60_000 };

function task(claim: Partial<ClaimSpec>, more: Partial<PlannedTask> = {}): PlannedTask {
  const nodes = claimSet({ repoKey: 'git.example.com/acme/app', write: [], read: [], ...claim });
  return { owner: 'ann', priority: 'normal', nodes, durationMs: 100, after: [], ...more };
}

function planOf(tasks: readonly PlannedTask[], fleet: Partial<Fleet> = {}) {
  return plan(tasks, [...tasks.keys()], { ...FLEET, ...fleet });
}

describe('a plan', () => {
  test('puts side by side what shares nothing, and behind each other what does, with the reason', () => {
    const tasks = [
      task({ write: ['src/auth/**'] }),
      task({ write: ['src/auth/login.ts'] }, { durationMs: 300 }),
      task({ write: ['src/db'] }, { durationMs: 50 }),
      task({ branch: 'x', read: ['docs'] }),
      task({ branch: 'x', read: ['docs'] }),
    ];
    expect(planOf(tasks)).toMatchObject({
      waves: [
        [0, 2, 3],
        [1, 4],
      ],
      conflicts: [
        { a: 0, b: 1, resource: 'path:src/auth' },
        { a: 3, b: 4, resource: 'branch:x' },
      ],
      conflictCount: 2,
      makespanMs: 400,
      criticalPath: [0, 1],
      mostRunning: 3,
    });
  });

  test('names the whole repository, and a resource of which there is one', () => {
    const tasks = [task({ write: ['**'] }), task({ write: ['a'], resources: ['db'] }), task({ resources: ['db'] })];
    const limited = planOf(tasks, { limits: new Map([['resource:db', 1]]) });
    expect(limited.conflicts).toEqual([
      { a: 0, b: 1, resource: 'path:.' },
      { a: 1, b: 2, resource: 'resource:db' },
    ]);
    expect(planOf(tasks, { limits: new Map([['resource:db', 2]]) }).conflicts).toHaveLength(1);
  });

  test('respects dependencies, the cap and quotas', () => {
    const tasks = [task({ owner: 'ann' }), task({ owner: 'ann' }), task({ owner: 'ann' }, { after: [3] }), task({})];
    expect(plan(tasks, [0, 1, 3, 2], FLEET).waves).toEqual([[0, 1, 3], [2]]);
    expect(plan(tasks, [0, 1, 3, 2], { ...FLEET, runners: 1 })).toMatchObject({
      waves: [[0], [1], [3], [2]],
      makespanMs: 400,
      utilisation: 1,
      criticalPath: [0, 1, 3, 2],
    });
    const limits = new Map([['owner:ann', 1]]);
    expect(plan(tasks, [0, 1, 3, 2], { ...FLEET, limits }).waves).toEqual([[0, 3], [1], [2]]);
  });

  test('has no wave for what would not run: refused, or with nothing to give it', () => {
    const tasks = [
      task({ write: ['a'] }),
      task({ write: ['a'] }, { policy: 'refuse' }),
      task({}, { after: [1] }),
      task({ resources: ['none'] }),
    ];
    const { waves, tasks: runs, makespanMs } = planOf(tasks);
    expect(waves).toEqual([[0]]);
    expect(runs.map(({ wave, startMs }) => [wave, startMs])).toEqual([
      [0, 0],
      [null, null],
      [null, null],
      [null, null],
    ]);
    expect(makespanMs).toBe(100);
  });

  test('counts all conflicts and lists as many as one can read', () => {
    const { conflicts, conflictCount } = planOf(Array.from({ length: 200 }, () => task({ branch: 'x' })));
    expect(conflictCount).toBe((200 * 199) / 2);
    expect(conflicts).toHaveLength(10_000);
  });
});
