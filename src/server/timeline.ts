/** Who ran what when: the newest run of each task that runs or has ended, with its phases and what it waited for. */

import { waitSpansOf } from '../client/hot.ts';
import { iso } from '../client/views.ts';
import type { PhaseReport } from '../queue/record.ts';
import type { TaskQueue } from '../queue/task-queue.ts';
import { type RanTask, readRanTasks } from '../queue/timeline.ts';
import { registeredWorkers } from '../runner/registry.ts';
import { isTerminal, type TaskCode, type TaskState } from '../task/states.ts';

/** A run on the timeline. Times ISO 8601. */
export interface TimelineRun {
  readonly taskId: string;
  readonly title: string;
  readonly branch: string;
  readonly owner: string;
  readonly runnerId: string | null;
  readonly workerId: string | null;
  readonly run: number;
  readonly state: TaskState;
  readonly code: TaskCode | null;
  readonly startedAt: string;
  readonly finishedAt: string | null;
  readonly phases: readonly Omit<PhaseReport, 'steps'>[];
  readonly waits: readonly {
    readonly resource: string;
    readonly holderTaskId: string | null;
    readonly from: string;
    readonly to: string | null;
  }[];
}

/** What the timeline shows. */
export interface Timeline {
  readonly now: string;
  readonly workers: readonly {
    readonly id: string;
    readonly name: string;
    readonly host: string;
    readonly leaseMs: number;
    readonly concurrency: number;
    readonly running: number;
  }[];
  readonly runs: readonly TimelineRun[];
}

/** How many runs are shown: those that ended last. */
const TIMELINE_RUNS = 500;

/** Reads a stretch of time, in ms since the epoch. */
export async function readTimeline(
  queue: TaskQueue,
  { since, until }: { readonly since: number; readonly until: number },
): Promise<Timeline> {
  const [ran, workers] = await Promise.all([
    readRanTasks(queue, { since, until, limit: TIMELINE_RUNS }),
    registeredWorkers(queue.redis, queue.keys),
  ]);
  const runs = ran.flatMap(runOf);
  const busy = runs.filter(({ state }) => state === 'running').map(({ workerId }) => workerId);
  return {
    now: new Date().toISOString(),
    workers: workers.map(({ id, name, host, leaseMs, concurrency }) => {
      const running = busy.filter((workerId) => workerId === id).length;
      return { id, name, host, leaseMs, concurrency, running };
    }),
    runs,
  };
}

/** The newest run of a task; none if it never ran. */
export function runOf({ record, times }: RanTask): TimelineRun[] {
  const started = times.findLastIndex(({ state }) => state === 'running');
  const begin = times[started];
  if (begin === undefined) return [];
  // Where the task has gone from there: to its end, or back into the queue.
  const end = times[started + 1]?.at ?? (isTerminal(record.state) ? record.finishedAt : null);
  const { id, title, branch, owner, runnerId, workerId, run, state, code } = record;
  return [
    {
      taskId: id,
      title,
      branch,
      owner,
      runnerId,
      workerId,
      run,
      state,
      code,
      startedAt: new Date(begin.at).toISOString(),
      finishedAt: iso(end),
      phases: record.phases.map(({ name, state: phaseState, startedAt, durationMs }) => ({
        name,
        state: phaseState,
        startedAt,
        durationMs,
      })),
      waits: waitSpansOf(record, times).map(({ resource, holderTaskId, from, to }) => ({
        resource,
        holderTaskId,
        from: new Date(from).toISOString(),
        to: iso(to),
      })),
    },
  ];
}
