/** The tasks that are measured: made from a seed, the same for every system. */

import { seeded, zipf } from './random.ts';

/** A task to run: how long it works, and what it must have for itself meanwhile. */
export interface BenchTask {
  readonly branch: string;
  readonly files: readonly string[];
  /** 0: it returns at once. */
  readonly ms: number;
}

/** What a contended workload is like. */
export interface Contention {
  readonly tasks: number;
  readonly branches: number;
  readonly files: number;
  /** The mean; each task takes between two thirds and four thirds of it. */
  readonly meanMs: number;
  /** How unevenly branches and files are chosen. */
  readonly zipf: number;
  readonly seed: number;
}

/** The contended workload, but for how contended it is. */
export const CONTENTION = { tasks: 400, branches: 100, files: 400, meanMs: 60 };

/** Tasks that want a branch and one to three files each. */
export function contended({ tasks, branches, files, meanMs, zipf: exponent, seed }: Contention): BenchTask[] {
  const random = seeded(seed);
  const branch = zipf(random, branches, exponent);
  const file = zipf(random, files, exponent);
  return Array.from({ length: tasks }, () => {
    const count = 1 + Math.floor(random() * 3);
    const chosen = new Set(Array.from({ length: count }, () => fileName(file())));
    return { branch: `work-${branch()}`, files: [...chosen], ms: Math.round(meanMs * (2 / 3 + (random() * 2) / 3)) };
  });
}

/** Tasks that want one thing each, a branch. */
export function oneKey(like: Omit<Contention, 'files'>): BenchTask[] {
  return contended({ ...like, files: 1 }).map((task) => ({ ...task, files: [] }));
}

/** Tasks that share nothing: a branch and three files of its own each. */
export function disjoint(tasks: number, ms = 0): BenchTask[] {
  return Array.from({ length: tasks }, (_, i) => ({
    branch: `work-${i}`,
    files: [3 * i, 3 * i + 1, 3 * i + 2].map(fileName),
    ms,
  }));
}

/** Tasks that all want one branch; the first one holds it until the others have got in line. */
export function queueing(
  tasks: number,
  { firstMs, ms }: { readonly firstMs: number; readonly ms: number },
): BenchTask[] {
  return Array.from({ length: tasks }, (_, i) => ({ branch: 'one', files: [fileName(i)], ms: i === 0 ? firstMs : ms }));
}

/** Everything that a task must have for itself. */
export function resourcesOf({ branch, files }: BenchTask): string[] {
  return [`branch:${branch}`, ...files.map((file) => `file:${file}`)];
}

function fileName(index: number): string {
  return `src/part-${index % 20}/file-${index}.ts`;
}
