/** Tasks that are given: from task files, or the bench's workload. All are there at the start. */

import { claimSet } from '../../src/claims/claim-set.ts';
import { readFiles } from '../../src/cli/submit/sources.ts';
import { orderByDependencies } from '../../src/task/dependencies.ts';
import { BUILT_IN_PRESETS } from '../../src/task/presets.ts';
import type { BenchTask } from '../bench/workload.ts';
import type { Drawn } from './fleet.ts';

/** Tasks of files; `duration` draws how long one runs. Throws as `submit` does. */
export async function fromFiles(names: readonly string[], cwd: string, duration: () => number): Promise<Drawn[]> {
  const tasks = (await readFiles(names, { cwd, presets: BUILT_IN_PRESETS })).flatMap((file) => file.tasks);
  const order = orderByDependencies(tasks);
  const ids = new Map(order.flatMap((index, id) => [[tasks[index]?.idempotencyKey ?? '', id] as const]));
  const numbers = new Numbers();
  return order.flatMap((index, id) => {
    const task = tasks[index];
    if (task === undefined) return [];
    const { repo, branch, claims, spec, owner = 'you', priority, dependsOn } = task;
    // The repository's spelling stands for its identity: no remote or checkout is looked at.
    const nodes = claimSet({ repoKey: repo, ...claims, owner, spec, ...(branch === undefined ? {} : { branch }) });
    const alone = nodes.filter(({ mode }) => mode === 'X').map(({ name }) => numbers.of(name));
    const after = dependsOn.flatMap((name) => ids.get(name) ?? []);
    return [{ atMs: 0, task: { id, owner, priority, nodes, durationMs: duration(), after }, alone }];
  });
}

/** The resources that task files name, with one slot each. */
export function oneOfEach(drawn: readonly Drawn[]): Map<string, number> {
  const names = drawn.flatMap(({ task }) => task.nodes.map(({ name }) => name));
  return new Map(names.filter((name) => name.startsWith('#resource:')).map((name) => [name.slice(1), 1]));
}

/** Tasks of the bench, as Signalbox is given them there. */
export function fromBench(tasks: readonly BenchTask[]): Drawn[] {
  const numbers = new Numbers();
  return tasks.map(({ branch, files, ms }, id) => {
    const nodes = claimSet({ repoKey: 'git.example.com/acme/app', branch, write: files, read: [], owner: 'you' });
    const alone = nodes.filter(({ mode }) => mode === 'X').map(({ name }) => numbers.of(name));
    return { atMs: 0, task: { id, owner: 'you', priority: 'normal', nodes, durationMs: ms }, alone };
  });
}

/** A number for each name. */
class Numbers {
  readonly #numbers = new Map<string, number>();

  of(name: string): number {
    const number = this.#numbers.get(name) ?? this.#numbers.size;
    this.#numbers.set(name, number);
    return number;
  }
}
