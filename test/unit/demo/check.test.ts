import { describe, expect, it } from 'vitest';
import * as check from '../../../scripts/demo/check.ts';

const task = (over: Partial<check.RanTask> & { readonly name: string }): check.RanTask => ({
  id: `t-${over.name}`,
  state: 'succeeded',
  branch: `demo/${over.name}`,
  write: [`${over.name}.txt`],
  read: [],
  commit: `c-${over.name}`,
  held: [{ from: 0, to: 10 }],
  worked: [{ from: 2, to: 8 }],
  ...over,
});
const held = (ran: check.RanTask): readonly check.Interval[] => ran.held;
const commit = (ran: check.RanTask, over: Partial<check.CommitFacts> = {}): check.CommitFacts => ({
  oid: ran.commit ?? '',
  tasks: [ran.id],
  files: [...ran.write],
  ...over,
});

describe('the check for overlaps', () => {
  const overlapping = (over: Partial<check.RanTask>, other: Partial<check.RanTask>): string[] =>
    check.overlaps([task({ name: 'a', ...over }), task({ name: 'b', ...other })], held);

  it('finds two writers of one file at the same time', () => {
    expect(overlapping({ write: ['x'] }, { write: ['x'] })).toEqual(['a and b ran at the same time']);
  });

  it('finds a writer of a folder beside a reader of a file in it', () => {
    expect(overlapping({ write: ['src/**'] }, { write: [], read: ['src/a.ts'] })).toHaveLength(1);
  });

  it('finds two tasks on one branch at the same time, whatever their files', () => {
    expect(overlapping({ branch: 'same' }, { branch: 'same' })).toHaveLength(1);
  });

  it('finds an overlap of one millisecond, and in a later run', () => {
    const b = {
      write: ['x'],
      held: [
        { from: 30, to: 40 },
        { from: 9, to: 20 },
      ],
    };
    expect(overlapping({ write: ['x'] }, b)).toHaveLength(1);
  });

  it('lets readers, disjoint writers, and one after the other pass', () => {
    expect(overlapping({ write: [], read: ['src/**'] }, { write: [], read: ['src/a.ts'] })).toEqual([]);
    expect(overlapping({ write: ['src/a.ts'] }, { write: ['src/b.ts'] })).toEqual([]);
    expect(overlapping({ write: ['x'] }, { write: ['x'], held: [{ from: 10, to: 20 }] })).toEqual([]);
  });

  it('looks at the times that it is told to', () => {
    const tasks = [task({ name: 'a', write: ['x'] }), task({ name: 'b', write: ['x'], held: [{ from: 10, to: 20 }] })];
    expect(check.overlaps(tasks, ({ worked }) => worked)).toHaveLength(1);
  });
});

describe('the check of the remote', () => {
  const first = task({ name: 'first', branch: 'demo/both' });
  const second = task({ name: 'second', branch: 'demo/both', held: [{ from: 10, to: 20 }] });
  const branches = (...commits: check.CommitFacts[]): check.BranchFacts[] => [
    { name: 'main', commits: [] },
    { name: 'demo/both', commits },
  ];
  const problems = (on: readonly check.BranchFacts[]): string[] => check.branchProblems([second, first], on);

  it('is content with one commit a task, in the order in which they ran', () => {
    const right = branches(commit(first), commit(second));
    expect(problems(right)).toEqual([]);
    expect(check.countProblems([first, second], right)).toEqual([]);
    expect(check.undeclaredProblems([first, second], right)).toEqual([]);
  });

  it('finds a missing commit', () => {
    expect(problems(branches(commit(first)))).toEqual([
      'demo/both: commit 2 is missing instead of c-second by t-second',
    ]);
    expect(check.countProblems([first, second], branches(commit(first)))).toEqual([
      'second has 0 commits instead of 1',
    ]);
  });

  it('finds a task that published twice', () => {
    const twice = branches(commit(first), commit(second), commit(second, { oid: 'c-again' }));
    expect(problems(twice)).toEqual(['demo/both: commit 3 is c-again by t-second instead of none']);
    expect(check.countProblems([first, second], twice)).toEqual(['second has 2 commits instead of 1']);
  });

  it('finds the wrong order, a missing branch, and commits where none should be', () => {
    expect(problems(branches(commit(second), commit(first)))).toHaveLength(2);
    expect(problems([{ name: 'main', commits: [] }])).toEqual(['demo/both is missing']);
    const stray = [{ name: 'main', commits: [commit(first)] }, ...branches(commit(first), commit(second)).slice(1)];
    expect(problems(stray)).toEqual(['main: commit 1 is c-first by t-first instead of none']);
    expect(check.countProblems([first, second], stray)).toEqual(['first has 2 commits instead of 1']);
  });

  it('finds a commit that is not the one the task says it made, or that names nobody', () => {
    expect(problems(branches(commit(first, { oid: 'other' }), commit(second)))).toHaveLength(1);
    expect(problems(branches(commit(first, { tasks: [] }), commit(second)))).toHaveLength(1);
  });

  it('finds a commit of a task that says it changed nothing', () => {
    const nothing = task({ name: 'second', branch: 'demo/both', commit: null, held: [{ from: 10, to: 20 }] });
    const on = branches(commit(first), commit(second));
    expect(check.branchProblems([first, nothing], on)).toHaveLength(1);
    expect(check.countProblems([first, nothing], on)).toEqual(['second has 1 commits instead of 0']);
  });

  it('finds a file that was changed without a claim', () => {
    const on = branches(commit(first, { files: ['first.txt', 'src/a.ts'] }), commit(second));
    expect(check.undeclaredProblems([first, second], on)).toEqual(['first changed src/a.ts']);
  });
});

describe('the check of the tasks', () => {
  it('finds those that did not succeed', () => {
    expect(check.failures([task({ name: 'a' }), task({ name: 'b', state: 'failed' })])).toEqual(['b is failed']);
  });

  it('is good without problems only', () => {
    expect(check.finding('x', []).ok).toBe(true);
    expect(check.finding('x', ['y']).ok).toBe(false);
  });
});
