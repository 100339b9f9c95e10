/** What the API answers, as schemas: the OpenAPI document is made from them, and tests hold the answers to them. */

import { z } from 'zod';
import type { ClaimsView } from '../../client/claims-view.ts';
import type { Explanation } from '../../client/explain.ts';
import type { HotView } from '../../client/hot.ts';
import type { PlanView } from '../../client/plan.ts';
import type { Status, TaskView } from '../../client/views.ts';
import type { AcceptedTask } from '../../queue/store.ts';
import { STATES, TASK_CODES } from '../../task/states.ts';
import type { ListedTask } from '../task-list.ts';
import type { Timeline } from '../timeline.ts';

const text = z.string();
const maybe = z.string().nullable();
const count = z.int().min(0);
const ms = z.number().min(0);
const time = z.iso.datetime();
const maybeTime = time.nullable();
const state = z.enum(STATES);
const code = z.enum(TASK_CODES).nullable();
const mode = z.enum(['write', 'read', 'slot']);
const phaseState = z.enum(['running', 'succeeded', 'failed', 'skipped']);

const summary = {
  id: text,
  state,
  code,
  title: text,
  branch: text,
  owner: text,
  priority: text,
  attempts: count,
};

const times = {
  submittedAt: time,
  startedAt: maybeTime,
  finishedAt: maybeTime,
  waitMs: ms,
  blockedMs: ms,
};

/** What was accepted. */
export const accepted: z.ZodType<{ tasks: readonly AcceptedTask[] }> = z
  .object({ tasks: z.array(z.object({ id: text, state, duplicate: z.boolean() })) })
  .meta({ id: 'Accepted' });

const listed: z.ZodType<ListedTask> = z.object({ ...summary, repo: text, spec: maybe, ...times });

/** A page of tasks. */
export const taskPage: z.ZodType<{ tasks: readonly ListedTask[]; next: string | null }> = z
  .object({
    tasks: z.array(listed),
    next: maybe.describe('Give it as `cursor` for the next page; null: this is the last.'),
  })
  .meta({ id: 'TaskPage' });

const step = z.object({ name: text, exitCode: z.int().nullable(), durationMs: ms, outputTail: text });
const phase = z.object({
  name: text,
  state: phaseState,
  startedAt: time,
  durationMs: ms.nullable(),
  steps: z.array(step),
});

/** All about one task. */
export const taskView: z.ZodType<TaskView> = z
  .object({
    ...summary,
    repo: text,
    base: maybe,
    spec: maybe,
    runs: count,
    crashes: count,
    retryOf: maybe,
    ...times,
    host: maybe,
    runnerId: maybe,
    workerId: maybe,
    workspace: maybe,
    isolation: maybe,
    concurrentRunners: count.nullable(),
    fenceToken: maybe,
    fence: maybe,
    commit: maybe,
    error: maybe,
    phases: z.array(phase),
    conflicts: z.array(z.object({ resource: text, holderTaskId: maybe, at: time })),
    filesChanged: z.array(text),
    artifacts: z.array(
      z.object({ kind: z.enum(['diff', 'log', 'patch', 'test-report']), path: text, bytes: count, sha256: text }),
    ),
    history: z.array(z.object({ state, at: time, reason: text })),
  })
  .meta({ id: 'Task' });

const holderKind = z.enum(['run', 'exec', 'merged', 'reserved', 'kept']);

const holder = z.object({ kind: holderKind, taskId: maybe, runnerId: maybe, workerId: maybe, since: maybeTime });

/** Why a task waits or how it ended. */
export const explanation: z.ZodType<Explanation> = z
  .object({
    id: text,
    state,
    summary: text,
    blockedBy: z.array(
      z.object({
        resource: text,
        mode,
        holder,
      }),
    ),
    position: count.nullable(),
    ahead: z.array(text),
    chain: z.array(
      z.object({ taskId: text, resource: text, mode, kind: holderKind, holderTaskId: maybe, since: maybeTime }),
    ),
    estimatedStartAt: maybeTime,
    next: text,
  })
  .meta({ id: 'Explanation' });

const held = { repo: text, resource: text, mode };

/** What is held and who waits. */
export const claims: z.ZodType<ClaimsView> = z
  .object({
    held: z.array(z.object({ ...held, taskId: maybe, runnerId: text, workerId: text, since: time })),
    waiting: z.array(
      z.object({
        taskId: text,
        resource: text,
        position: count,
        since: time,
        passedOver: count,
        holder: holder.nullable(),
      }),
    ),
  })
  .meta({ id: 'Claims' });

/** What was waited for longest. */
export const hot: z.ZodType<HotView> = z
  .object({
    hot: z.array(
      z.object({
        repo: text,
        resource: text,
        waitMs: ms,
        waits: count,
        tasks: count,
        longestMs: ms,
        byOwner: z.record(text, ms),
        finerClaimMs: ms,
      }),
    ),
  })
  .meta({ id: 'Hot' });

const worker = z.object({
  id: text,
  name: text,
  host: text,
  pid: count,
  concurrency: count,
  running: count,
  leaseMs: z.number(),
});

/** The state of the whole queue. */
export const status: z.ZodType<Status> = z
  .object({
    maxParallelRunners: count.nullable(),
    paused: z.boolean(),
    queued: count,
    scheduled: count,
    blocked: count,
    running: count,
    finished: count,
    workers: z.array(worker),
    runners: z.array(
      z.object({
        id: text,
        taskId: maybe,
        workerId: text,
        phase: maybe,
        workspace: maybe,
        startedAt: time,
        claims: z.array(z.object(held)),
      }),
    ),
  })
  .meta({ id: 'Status' });

/** The limits in force, by name. */
export const limits = z.object({ limits: z.record(text, z.number().nullable()) }).meta({ id: 'Limits' });

/** A dry run. */
export const plan: z.ZodType<PlanView> = z
  .object({
    waves: z.array(z.array(count)),
    conflicts: z.array(z.object({ a: count, b: count, resource: text })),
    conflictCount: count,
    makespanMs: ms,
    criticalPath: z.array(count),
    mostRunning: count,
    utilisation: z.number(),
    maxParallelRunners: count.nullable(),
    assumedResources: z.array(text),
    tasks: z.array(
      z.object({
        index: count,
        title: text,
        wave: count.nullable(),
        startMs: ms.nullable(),
        durationMs: ms,
        durationKnown: z.boolean(),
        claims: z.array(z.object({ resource: text, mode })),
      }),
    ),
  })
  .meta({ id: 'Plan' });

/** Who ran what when. */
export const timeline: z.ZodType<Timeline> = z
  .object({
    now: time,
    workers: z.array(worker.omit({ pid: true })),
    runs: z.array(
      z.object({
        taskId: text,
        title: text,
        branch: text,
        owner: text,
        runnerId: maybe,
        workerId: maybe,
        run: count,
        state,
        code,
        startedAt: time,
        finishedAt: maybeTime,
        phases: z.array(phase.omit({ steps: true })),
        waits: z.array(z.object({ resource: text, holderTaskId: maybe, from: time, to: maybeTime })),
      }),
    ),
  })
  .meta({ id: 'Timeline' });

/** Who asks. */
export const me = z
  .object({
    role: z.enum(['write', 'read', 'open']),
    tokenRequired: z.boolean(),
    version: text,
    queue: text,
  })
  .meta({ id: 'Me' });

/** What became of a cancel. */
export const cancelled = z
  .object({ tasks: z.array(z.object({ id: text, result: z.enum(['cancelled', 'requested']) })) })
  .meta({ id: 'Cancelled' });

/** Whether the queue is paused, and whether that was news. */
export const paused = z.object({ paused: z.boolean(), changed: z.boolean() }).meta({ id: 'Paused' });
