/** Those who wait now, from what is known of claims and of blocked tasks. Pure. */

import type { ClaimsView, ListedTask, TimelineRun } from '../api/shapes.ts';
import type { Waiter } from './waits.ts';

/** What they are made of. */
export interface Known {
  readonly claims: Pick<ClaimsView, 'waiting'>;
  readonly blocked: { readonly tasks: readonly Pick<ListedTask, 'id' | 'title' | 'branch'>[] };
  readonly timeline: { readonly runs: readonly Pick<TimelineRun, 'taskId' | 'finishedAt'>[] };
}

/** Those who wait now. Who runs and waits for more has a bar already. */
export function waitersOf({ claims, blocked, timeline }: Known): Waiter[] {
  const tasks = new Map(blocked.tasks.map((task) => [task.id, task]));
  const running = new Set(timeline.runs.filter(({ finishedAt }) => finishedAt === null).map(({ taskId }) => taskId));
  return claims.waiting
    .filter(({ taskId }) => !running.has(taskId))
    .map(({ taskId, resource, since, holder }) => ({
      taskId,
      resource,
      since,
      holderTaskId: holder?.taskId ?? null,
      title: tasks.get(taskId)?.title ?? '',
      branch: tasks.get(taskId)?.branch ?? '',
    }));
}
