/**
 * The demo's judgement, on plain data: what the remote holds, and who held what when. It looks for what must not be,
 * so that it can fail.
 */

import { claimSet, coverage } from '../../src/claims/claim-set.ts';
import { conflicts } from '../../src/claims/modes.ts';

/** A stretch of time, in ms since the epoch. */
export interface Interval {
  readonly from: number;
  readonly to: number;
}

/** What is known of a task that has ended. */
export interface RanTask {
  readonly id: string;
  readonly name: string;
  readonly state: string;
  readonly branch: string;
  readonly write: readonly string[];
  readonly read: readonly string[];
  /** What it says that it published. */
  readonly commit: string | null;
  /** When it held its claim, by the queue's record. */
  readonly held: readonly Interval[];
  /** When its steps worked, by their own notes. */
  readonly worked: readonly Interval[];
}

/** A commit that the remote has. */
export interface CommitFacts {
  readonly oid: string;
  /** The values of its `Signalbox-Task` trailers. */
  readonly tasks: readonly string[];
  readonly files: readonly string[];
}

/** A branch of the remote with its commits beyond the base, oldest first. */
export interface BranchFacts {
  readonly name: string;
  readonly commits: readonly CommitFacts[];
}

/** One line of the judgement. */
export interface Finding {
  readonly what: string;
  readonly ok: boolean;
  /** What was found wrong; empty when nothing was. */
  readonly problems: readonly string[];
}

/** A finding that is good if there are no problems. */
export function finding(what: string, problems: readonly string[]): Finding {
  return { what, ok: problems.length === 0, problems };
}

/** Tasks that did not succeed. */
export function failures(tasks: readonly RanTask[]): string[] {
  return tasks.filter(({ state }) => state !== 'succeeded').map(({ name, state }) => `${name} is ${state}`);
}

/** Pairs of tasks that must exclude each other and were at it at the same time. */
export function overlaps(tasks: readonly RanTask[], when: (task: RanTask) => readonly Interval[]): string[] {
  return tasks.flatMap((a, i) =>
    tasks
      .slice(i + 1)
      .filter((b) => when(a).some((one) => when(b).some((other) => meet(one, other))) && exclude(a, b))
      .map((b) => `${a.name} and ${b.name} ran at the same time`),
  );
}

/** Whether two tasks must not run at the same time. */
function exclude(a: RanTask, b: RanTask): boolean {
  const theirs = new Map(nodesOf(b).map(({ name, mode }) => [name, mode]));
  return nodesOf(a).some(({ name, mode }) => {
    const other = theirs.get(name);
    return other !== undefined && conflicts(mode, other);
  });
}

function nodesOf({ branch, write, read }: RanTask): ReturnType<typeof claimSet> {
  return claimSet({ repoKey: 'demo', branch, write, read });
}

function meet(a: Interval, b: Interval): boolean {
  return a.from < b.to && b.from < a.to;
}

/** How the remote differs from one commit a task, on its branch, in the order in which they ran, and nothing else. */
export function branchProblems(tasks: readonly RanTask[], branches: readonly BranchFacts[]): string[] {
  const expected = new Map<string, RanTask[]>();
  for (const task of [...tasks].sort(byStart)) {
    if (task.commit !== null) expected.set(task.branch, [...(expected.get(task.branch) ?? []), task]);
  }
  const missing = [...expected.keys()].filter((name) => !branches.some((branch) => branch.name === name));
  return [
    ...missing.map((name) => `${name} is missing`),
    ...branches.flatMap((branch) => commitProblems(branch, expected.get(branch.name) ?? [])),
  ];
}

function commitProblems({ name, commits }: BranchFacts, expected: readonly RanTask[]): string[] {
  const found = commits.map(({ oid, tasks }) => `${oid} by ${tasks.join(' and ') || 'nobody'}`);
  const wanted = expected.map(({ commit, id }) => `${commit} by ${id}`);
  const length = Math.max(found.length, wanted.length);
  return Array.from({ length }, (_, i) => i).flatMap((i) =>
    found[i] === wanted[i]
      ? []
      : [`${name}: commit ${i + 1} is ${found[i] ?? 'missing'} instead of ${wanted[i] ?? 'none'}`],
  );
}

/** Tasks that have another number of commits than one, or zero for those that had nothing to change. */
export function countProblems(tasks: readonly RanTask[], branches: readonly BranchFacts[]): string[] {
  const authors = branches.flatMap(({ commits }) => commits.flatMap(({ tasks: ids }) => ids));
  return tasks.flatMap(({ id, name, commit }) => {
    const count = authors.filter((author) => author === id).length;
    const wanted = commit === null ? 0 : 1;
    return count === wanted ? [] : [`${name} has ${count} commits instead of ${wanted}`];
  });
}

/** Files that a commit changed though its task had not claimed them. */
export function undeclaredProblems(tasks: readonly RanTask[], branches: readonly BranchFacts[]): string[] {
  return branches.flatMap(({ commits }) =>
    commits.flatMap(({ tasks: ids, files }) => {
      const task = tasks.find(({ id }) => ids.includes(id));
      if (task === undefined) return [];
      const outside = files.filter((file) => !coverage(task.write)(file));
      return outside.map((file) => `${task.name} changed ${file}`);
    }),
  );
}

function byStart(a: RanTask, b: RanTask): number {
  return (a.held.at(-1)?.from ?? 0) - (b.held.at(-1)?.from ?? 0);
}
