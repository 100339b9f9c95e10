/** Dependencies within one list of tasks: who comes first, and what cannot be. */

import { SignalboxError } from '../errors.ts';
import { nearMiss, shown } from '../invalid.ts';
import { parseTaskId } from './ids.ts';
import type { Task } from './task.ts';

/**
 * The indexes of `tasks`, each after those it depends on by idempotency key, otherwise in the given order. A name that
 * has the form of a task id is left to the queue. Throws `INVALID` with the field `[i].dependsOn[j]` or `[i].base` for
 * an unknown name and for a cycle, and `[i].idempotencyKey` for a key that two tasks of the list share.
 */
export function orderByDependencies(tasks: readonly Task[]): number[] {
  const byKey = indexByKey(tasks);
  const before = tasks.map((task, index) =>
    task.dependsOn.map((name, at) => find(name, `[${index}].${dependencyField(task, at)}`, byKey)),
  );
  const order: number[] = [];
  const done = new Set<number>();
  let waiting = tasks.map((_, index) => index);
  while (waiting.length > 0) {
    const ready = waiting.filter((index) => before[index]?.every((other) => other === undefined || done.has(other)));
    if (ready.length === 0) throw cycleError(tasks, before, waiting);
    for (const index of ready) done.add(index);
    order.push(...ready);
    waiting = waiting.filter((index) => !done.has(index));
  }
  return order;
}

/** The field that a dependency was written in: a task also depends on the one whose result it starts from. */
export function dependencyField({ base, dependsOn }: Pick<Task, 'base' | 'dependsOn'>, at: number): string {
  return base === `task:${dependsOn[at]}` ? 'base' : `dependsOn[${at}]`;
}

function indexByKey(tasks: readonly Task[]): Map<string, number> {
  const byKey = new Map<string, number>();
  for (const [index, { idempotencyKey: key }] of tasks.entries()) {
    if (key === undefined) continue;
    const earlier = byKey.get(key);
    if (earlier !== undefined) throw refusal(`[${index}].idempotencyKey`, `is the key of entry ${earlier} as well`);
    byKey.set(key, index);
  }
  return byKey;
}

function find(name: string, field: string, byKey: ReadonlyMap<string, number>): number | undefined {
  const index = byKey.get(name);
  if (index !== undefined || parseTaskId(name) !== undefined) return index;
  const near = nearMiss(name, [...byKey.keys()]);
  const hint = near === undefined ? '' : `: did you mean ${shown(near)}?`;
  throw refusal(field, `must be a task id or an idempotency key of this list; given ${shown(name)}${hint}`);
}

/** Walks from an unready task to its unready dependencies until one comes again: that edge closes a cycle. */
function cycleError(
  tasks: readonly Task[],
  before: readonly (readonly (number | undefined)[])[],
  waiting: readonly number[],
): SignalboxError {
  const unready = new Set(waiting);
  const seen: number[] = [];
  let index = waiting[0] as number;
  for (;;) {
    seen.push(index);
    const at = before[index]?.findIndex((other) => other !== undefined && unready.has(other)) as number;
    const next = before[index]?.[at] as number;
    if (!seen.includes(next)) {
      index = next;
      continue;
    }
    const names = [...seen.slice(seen.indexOf(next)), next].map((each) => tasks[each]?.idempotencyKey ?? `[${each}]`);
    return refusal(
      `[${index}].${dependencyField(tasks[index] as Task, at)}`,
      `closes a cycle: ${names.map((name) => shown(name)).join(' needs ')}`,
    );
  }
}

function refusal(field: string, clause: string): SignalboxError {
  return new SignalboxError('INVALID', `\`${field}\` ${clause}`, {
    field,
    next: 'Correct the list and submit it again.',
  });
}
