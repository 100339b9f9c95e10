/**
 * What a list of tasks would do if it were submitted to an idle queue: who runs beside whom, who waits for whom, and how
 * long all of it takes. Played by the very rules of the queue, see `simulation.ts`. Pure.
 */

import { type ClaimNode, isExplicit, resourceOf } from '../claims/claim-set.ts';
import { conflicts } from '../claims/modes.ts';
import { type Fleet, type QueuedTask, type SimulatedTask, simulate } from './simulation.ts';

/** A task of the list. */
export interface PlannedTask extends Omit<SimulatedTask, 'id' | 'nodes' | 'after'> {
  readonly nodes: readonly ClaimNode[];
  /** Places in the list of those that it depends on. */
  readonly after: readonly number[];
}

/** Two tasks that cannot run at the same time, and what they both want. */
export interface PlannedConflict {
  /** Places in the list; `a` is the earlier one. */
  readonly a: number;
  readonly b: number;
  readonly resource: string;
}

/** When a task would run. */
export interface PlannedRun {
  readonly index: number;
  /** The number of its wave from 0; null if it would never run. */
  readonly wave: number | null;
  readonly startMs: number | null;
  readonly durationMs: number;
}

/** The plan. Times count from the submission. */
export interface Plan {
  /** The tasks by when they would start if all took equally long: first those that start at once, and so on. */
  readonly waves: readonly (readonly number[])[];
  /** At most 10,000, in the list's order. */
  readonly conflicts: readonly PlannedConflict[];
  readonly conflictCount: number;
  readonly makespanMs: number;
  /** A chain of tasks that decides the makespan: each starts when the one before it ends, and could not earlier. */
  readonly criticalPath: readonly number[];
  readonly tasks: readonly PlannedRun[];
  readonly mostRunning: number;
  /** How much of the cap's time, or without a cap of the most that run at once, is used: 0 to 1. */
  readonly utilisation: number;
}

/** How many conflicts are listed. */
const MAX_CONFLICTS = 10_000;

/** Plans tasks that are submitted together. `order`: their places, each after those it depends on. */
export function plan(tasks: readonly PlannedTask[], order: readonly number[], fleet: Fleet): Plan {
  const simulated = inOrder(tasks, order);
  const { starts, played } = play(simulated, order, fleet);
  const equal = play(
    simulated.map((task) => ({ ...task, durationMs: 1 })),
    order,
    // Who is passed over is kept for by time, which does not pass here as it does in fact.
    { ...fleet, keepAfterMs: Number.POSITIVE_INFINITY },
  ).starts;
  const runs = tasks.map(({ durationMs }, index): PlannedRun => {
    return { index, wave: equal.get(index) ?? null, startMs: starts.get(index) ?? null, durationMs };
  });
  const slots = Number.isFinite(fleet.runners) ? fleet.runners : played.mostRunning;
  return {
    waves: wavesOf(equal),
    ...findConflicts(tasks, fleet.limits),
    makespanMs: played.makespanMs,
    criticalPath: criticalPath(tasks, starts, fleet),
    tasks: runs,
    mostRunning: played.mostRunning,
    utilisation: played.makespanMs === 0 ? 0 : played.busyMs / (slots * played.makespanMs),
  };
}

/** The tasks as they enter the queue: a task's id is its place in that order. */
function inOrder(tasks: readonly PlannedTask[], order: readonly number[]): SimulatedTask[] {
  const ids = new Map(order.map((index, id) => [index, id]));
  return order.flatMap((index, id) => {
    const task = tasks[index];
    return task === undefined ? [] : [{ ...task, id, after: task.after.map((before) => ids.get(before) ?? -1) }];
  });
}

function play(simulated: readonly SimulatedTask[], order: readonly number[], fleet: Fleet) {
  const starts = new Map<number, number>();
  const started = ({ id }: QueuedTask, atMs: number): void => void starts.set(order[id] ?? -1, atMs);
  const arrivals = simulated.map((task) => ({ atMs: 0, task }));
  return { starts, played: simulate(fleet, arrivals, { started }) };
}

/** By start, in the list's order; with equal durations there is a start at every whole number. */
function wavesOf(starts: ReadonlyMap<number, number>): number[][] {
  const waves: number[][] = [];
  for (const [index, wave] of [...starts].sort(([one], [other]) => one - other)) (waves[wave] ??= []).push(index);
  return waves;
}

type Limits = Fleet['limits'];

function findConflicts(tasks: readonly PlannedTask[], limits: Limits): Pick<Plan, 'conflicts' | 'conflictCount'> {
  const found: PlannedConflict[] = [];
  let conflictCount = 0;
  for (const users of usersOfNodes(tasks).values()) {
    for (const [place, one] of users.entries()) {
      for (let i = place + 1; i < users.length; i += 1) {
        const other = users[i];
        if (other === undefined || !excludes(one.node, other.node, limits)) continue;
        conflictCount += 1;
        // Shown as whoever asks for the thing itself writes it.
        const resource = resourceOf(isExplicit(one.node) ? one.node : other.node);
        if (conflictCount <= MAX_CONFLICTS) found.push({ a: one.index, b: other.index, resource });
      }
    }
  }
  return { conflicts: found.toSorted((x, y) => x.a - y.a || x.b - y.b), conflictCount };
}

interface User {
  readonly index: number;
  readonly node: ClaimNode;
}

/** Who wants which node, where any two can exclude each other. */
function usersOfNodes(tasks: readonly PlannedTask[]): Map<string, User[]> {
  const all = new Map<string, User[]>();
  for (const [index, { nodes }] of tasks.entries()) {
    for (const node of nodes) {
      const users = all.get(node.name);
      if (users === undefined) all.set(node.name, [{ index, node }]);
      else users.push({ index, node });
    }
  }
  for (const [name, users] of all) {
    const modes = new Set(users.map(({ node }) => node.mode));
    // Many only pass through a folder: nobody needs to compare them.
    if (modes.size === 1 && (modes.has('IX') || modes.has('IS') || modes.has('S'))) all.delete(name);
  }
  return all;
}

/** Whether two tasks cannot both have a node. Two slots exclude each other only where there is one. */
function excludes(one: ClaimNode, other: ClaimNode, limits: Limits): boolean {
  if (one.mode === 'slot') return limits?.get(one.name.slice(1)) === 1;
  return conflicts(one.mode, other.mode);
}

/** From the task that ends last back to one that starts at once, by what each had to wait for. */
function criticalPath(tasks: readonly PlannedTask[], starts: ReadonlyMap<number, number>, fleet: Fleet): number[] {
  const endsAt = new Map<number, number[]>();
  let last: number | undefined;
  let latest = -1;
  for (const [index, start] of starts) {
    const end = start + (tasks[index]?.durationMs ?? 0);
    const ending = endsAt.get(end);
    if (ending === undefined) endsAt.set(end, [index]);
    else ending.push(index);
    if (end > latest) [last, latest] = [index, end];
  }
  const path: number[] = [];
  for (let at = last; at !== undefined; ) {
    path.unshift(at);
    const start = starts.get(at) ?? 0;
    at = start === 0 ? undefined : cause(tasks, at, { ended: endsAt.get(start) ?? [], path, fleet });
  }
  return path;
}

/** Of those that ended when a task started, one that it had to wait for: a dependency, a conflict, or any runner. */
function cause(
  tasks: readonly PlannedTask[],
  at: number,
  {
    ended,
    path,
    fleet,
  }: { readonly ended: readonly number[]; readonly path: readonly number[]; readonly fleet: Fleet },
): number | undefined {
  const among = ended.filter((index) => !path.includes(index));
  const own = tasks[at];
  const shares = (index: number): boolean =>
    own?.nodes.some((node) =>
      tasks[index]?.nodes.some(
        (other) =>
          other.name === node.name &&
          (node.mode === 'slot' ? fleet.limits?.has(node.name.slice(1)) : conflicts(node.mode, other.mode)),
      ),
    ) === true;
  return among.find((index) => own?.after.includes(index)) ?? among.find(shares) ?? among[0];
}
