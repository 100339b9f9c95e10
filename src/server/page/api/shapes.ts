/** What the HTTP API answers. Types alone: nothing of the rest of the program is bundled into the page. */

import type { ClaimsView } from '../../../client/claims-view.ts';
import type { Explanation } from '../../../client/explain.ts';
import type { HotSpot, HotView } from '../../../client/hot.ts';
import type { Limits } from '../../../client/limits.ts';
import type { ChainLink } from '../../../client/standing.ts';
import type { Status, TaskSummary, TaskView } from '../../../client/views.ts';
import type { PhaseReport } from '../../../queue/record.ts';
import type { TaskState } from '../../../task/states.ts';

export type { ChainLink, ClaimsView, Explanation, HotSpot, HotView, Limits, PhaseReport, Status, TaskState, TaskView };

/** A task in the list. Times ISO 8601, durations in ms. */
export interface ListedTask extends TaskSummary {
  readonly repo: string;
  readonly spec: string | null;
  readonly submittedAt: string;
  readonly startedAt: string | null;
  readonly finishedAt: string | null;
  readonly waitMs: number;
  readonly blockedMs: number;
}

/** A page of the list, newest first; `next` leads to the one after it. */
export interface TaskPage {
  readonly tasks: readonly ListedTask[];
  readonly next: string | null;
}

/** A worker as the timeline names it. */
export type TimelineWorker = Pick<
  Status['workers'][number],
  'id' | 'name' | 'host' | 'leaseMs' | 'concurrency' | 'running'
>;

/** A time that a run's task waited for somebody; `to` is null while it waits. */
export interface TimelineWait {
  readonly resource: string;
  readonly holderTaskId: string | null;
  readonly from: string;
  readonly to: string | null;
}

/** A run: one execution of a task by a worker. */
export interface TimelineRun {
  readonly taskId: string;
  readonly title: string;
  readonly branch: string;
  readonly owner: string;
  readonly runnerId: string | null;
  readonly workerId: string | null;
  readonly run: number;
  readonly state: TaskState;
  readonly code: string | null;
  readonly startedAt: string;
  readonly finishedAt: string | null;
  readonly phases: readonly Pick<PhaseReport, 'name' | 'state' | 'startedAt' | 'durationMs'>[];
  readonly waits: readonly TimelineWait[];
}

/** Who ran what when. */
export interface Timeline {
  readonly now: string;
  readonly workers: readonly TimelineWorker[];
  readonly runs: readonly TimelineRun[];
}

/** Who asks, and what they may. `open`: no token is set, so that everybody may do everything. */
export interface Me {
  readonly role: 'write' | 'read' | 'open';
  readonly tokenRequired: boolean;
  readonly version: string;
  readonly queue: string;
}

/** A change of a task's state, as the events tell it. */
export interface StateChange {
  readonly id: string;
  readonly state: TaskState;
  readonly code: string | null;
  readonly at: string;
}
