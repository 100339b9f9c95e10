/** A dry run: what validated tasks would do, with what is known of the queue where there is one. */

import { type ClaimNode, claimSet, isExplicit, resourceOf } from '../claims/claim-set.ts';
import { SignalboxError } from '../errors.ts';
import type { Git } from '../git/git.ts';
import { resolveRepository } from '../git/identity.ts';
import type { TaskQueue } from '../queue/task-queue.ts';
import { orderByDependencies } from '../task/dependencies.ts';
import type { Task } from '../task/task.ts';
import { type Plan, type PlannedRun, type PlannedTask, plan } from '../waiting/plan.ts';
import type { Fleet } from '../waiting/simulation.ts';
import { currentUser } from './current-user.ts';
import { Durations } from './durations.ts';
import { readDurations } from './estimate.ts';

/** How long a task is taken to run of whose kind nothing is known. */
export const UNKNOWN_DURATION_MS = 60_000;

/** How a task excludes others from one thing. */
export interface PlannedClaim {
  readonly resource: string;
  readonly mode: 'write' | 'read' | 'slot';
}

/** A task in a plan. */
export interface PlannedTaskView extends PlannedRun {
  readonly title: string;
  /** Whether its duration was told from tasks that ran before; else it is {@link UNKNOWN_DURATION_MS}. */
  readonly durationKnown: boolean;
  /** What it would really hold: a glob claims its longest literal folder. */
  readonly claims: readonly PlannedClaim[];
}

/** A plan as it is shown. */
export interface PlanView extends Omit<Plan, 'tasks'> {
  readonly maxParallelRunners: number | null;
  /** Resources for which no capacity is known; one slot each is assumed. */
  readonly assumedResources: readonly string[];
  readonly tasks: readonly PlannedTaskView[];
}

/** What a plan is made with. */
export interface PlanParts {
  readonly git: Git;
  /** What relative paths of repositories count from. */
  readonly cwd: string;
  readonly keepAfterMs: number;
  /** Where durations, limits and the cap are read, if it can be reached. */
  readonly queue?: TaskQueue | undefined;
  /** The most runners, over the queue's own cap. */
  readonly maxParallelRunners?: number | undefined;
}

/** Plans tasks. Throws INVALID naming the field, as `submit` does. Nothing is queued and no remote is asked. */
export async function planTasks(tasks: readonly Task[], parts: PlanParts): Promise<PlanView> {
  const order = orderByDependencies(tasks);
  const keys = await repositoryKeys(tasks, parts);
  const known = await readKnown(parts);
  const prepared = tasks.map((task) => prepare(task, keys.get(task.repo) ?? '', known.durations));
  const resources = new Set(tasks.flatMap(({ claims }) => claims.resources));
  const assumedResources = [...resources].filter((name) => !known.limits.has(`resource:${name}`));
  const fleet: Fleet = {
    runners: known.cap ?? Number.POSITIVE_INFINITY,
    keepAfterMs: parts.keepAfterMs,
    limits: new Map([...known.limits, ...assumedResources.map((name) => [`resource:${name}`, 1] as const)]),
    weights: weightsOf(known.limits),
  };
  const index = new Map(tasks.flatMap(({ idempotencyKey: key }, i) => (key === undefined ? [] : [[key, i]])));
  const planned = prepared.map(({ task }, i): PlannedTask => {
    return { ...task, after: tasks[i]?.dependsOn.flatMap((name) => index.get(name) ?? []) ?? [] };
  });
  const made = plan(planned, order, fleet);
  const views = made.tasks.map((run, i): PlannedTaskView => {
    const { durationKnown = false, task } = prepared[i] ?? {};
    return { ...run, title: tasks[i]?.title ?? '', durationKnown, claims: claimsOf(task?.nodes ?? []) };
  });
  return { ...made, maxParallelRunners: known.cap ?? null, assumedResources, tasks: views };
}

interface Known {
  readonly durations: Durations;
  readonly limits: ReadonlyMap<string, number>;
  readonly cap: number | undefined;
}

async function readKnown({ queue, maxParallelRunners }: PlanParts): Promise<Known> {
  if (queue === undefined) return { durations: new Durations([]), limits: new Map(), cap: maxParallelRunners };
  const [durations, limits, cap] = await Promise.all([readDurations(queue), queue.line.limits(), queue.bull.cap()]);
  return { durations, limits: new Map(Object.entries(limits)), cap: maxParallelRunners ?? cap };
}

function prepare(task: Task, repoKey: string, durations: Durations) {
  const { branch, claims, priority, onConflict, title, spec } = task;
  const owner = task.owner ?? currentUser();
  const expected = durations.remaining({ title, owner, spec: spec ?? null, repoKey });
  // A branch that it does not name is its own.
  const nodes = claimSet({ repoKey, ...claims, owner, spec, ...(branch === undefined ? {} : { branch }) });
  return {
    durationKnown: expected !== undefined,
    task: {
      owner,
      priority,
      policy: POLICIES[onConflict],
      nodes,
      durationMs: Math.max(1, expected ?? UNKNOWN_DURATION_MS),
    },
  };
}

/** Nothing is stopped and nothing is cancelled in a plan: those who would do so wait. */
const POLICIES = {
  wait: 'wait',
  supersede: 'wait',
  preempt: 'wait',
  fail: 'refuse',
  skip: 'refuse',
  proceed: 'proceed',
} as const;

const SHOWN_MODES = { X: 'write', S: 'read', SIX: 'read', slot: 'slot', IX: 'write', IS: 'read' } as const;

/** What is asked for: not the folders above it, and not the quotas that every task counts for. */
function claimsOf(nodes: readonly ClaimNode[]): PlannedClaim[] {
  return nodes
    .filter((node) => isExplicit(node) && !/^#(?:owner|spec):/.test(node.name))
    .map((node) => ({ resource: resourceOf(node), mode: SHOWN_MODES[node.mode] }));
}

function weightsOf(limits: ReadonlyMap<string, number>): Map<string, number> {
  const prefix = 'weight:';
  return new Map([...limits].flatMap(([name, n]) => (name.startsWith(prefix) ? [[name.slice(prefix.length), n]] : [])));
}

/** Each distinct repository's identity. */
async function repositoryKeys(tasks: readonly Task[], { git, cwd }: PlanParts): Promise<Map<string, string>> {
  const keys = new Map<string, string>();
  for (const [index, { repo }] of tasks.entries()) {
    if (keys.has(repo)) continue;
    try {
      keys.set(repo, (await resolveRepository(git, repo, cwd)).key);
    } catch (error) {
      if (tasks.length === 1 || !(error instanceof SignalboxError)) throw error;
      throw new SignalboxError(error.code, error.message, { field: `[${index}].repo`, next: error.next, cause: error });
    }
  }
  return keys;
}
