/** The catalogue of events: when each comes, how important it is for the log, and its fields. The docs are held to it. */

import type { EventFields, EventType } from './events.ts';

/** How important an event is. */
export type EventLevel = 'debug' | 'info' | 'warn' | 'error';

/** One event of the catalogue. */
export interface EventEntry<T extends EventType = EventType> {
  readonly level: EventLevel;
  readonly description: string;
  readonly fields: Readonly<Record<FieldOf<T>, true>>;
}

type FieldOf<T extends EventType> = Extract<keyof EventFields[T], string>;

const run = { taskId: true, runnerId: true, run: true } as const;

/** Every event by its name. The compiler holds the fields to `EventFields`. */
export const EVENTS: { readonly [T in EventType]: EventEntry<T> } = {
  'task.blocked': {
    level: 'info',
    description: 'A task cannot have all it must hold and waits in line for `resource`.',
    fields: { taskId: true, policy: true, resource: true, holderTaskId: true },
  },
  'task.granted': {
    level: 'info',
    description: 'A task that was blocked got all that it must hold.',
    fields: { taskId: true, waitedMs: true },
  },
  'task.started': {
    level: 'info',
    description: 'A run began: everything is held; `waitMs` is the time since submission if it is the first.',
    fields: { ...run, workerId: true, owner: true, waitMs: true },
  },
  'run.ended': {
    level: 'debug',
    description: 'Nothing of a run is left: its processes have ended and what it held was given back.',
    fields: { ...run, durationMs: true },
  },
  'task.retrying': {
    level: 'warn',
    description: 'A run failed and the task will be run again after `delayMs`.',
    fields: { ...run, code: true, delayMs: true },
  },
  'task.requeued': {
    level: 'warn',
    description:
      'A task went back to `state` without an attempt being charged: drain, lost lease, dead supervisor, preemption, growth.',
    fields: { taskId: true, reason: true, why: true, state: true },
  },
  'task.too_new': {
    level: 'warn',
    description:
      'A worker left a task alone that a newer version has stored, in form `version`; it `reads` up to that one.',
    fields: { taskId: true, workerId: true, version: true, reads: true },
  },
  'task.finished': {
    level: 'info',
    description: 'A worker brought a task to its final state; `report` holds its metrics.',
    fields: { taskId: true, state: true, code: true, durationMs: true, report: true },
  },
  'phase.started': { level: 'debug', description: 'A phase of a run began.', fields: { ...run, phase: true } },
  'phase.finished': {
    level: 'debug',
    description: 'A phase of a run ended.',
    fields: { ...run, phase: true, ok: true, durationMs: true },
  },
  'step.started': { level: 'debug', description: 'A step began.', fields: { ...run, phase: true, step: true } },
  'step.finished': {
    level: 'debug',
    description: 'A step ended; `exitCode` is null when it was killed; a handler that fails has 1.',
    fields: { ...run, phase: true, step: true, exitCode: true, durationMs: true },
  },
  'claim.acquired': {
    level: 'debug',
    description:
      'A runner took all that its task must hold; `resources` counts them, `handOverMs` is the time since the grant if there was one.',
    fields: { ...run, resources: true, handOverMs: true },
  },
  'claim.unconfirmed': {
    level: 'warn',
    description: 'The lock servers did not agree to a claim that the queue had admitted; it is asked for again.',
    fields: { taskId: true, reason: true },
  },
  'claim.conflict': {
    level: 'debug',
    description: 'An acquire was refused because `resource` is held or kept.',
    fields: { taskId: true, policy: true, resource: true, holderTaskId: true },
  },
  'claim.proceeded': {
    level: 'warn',
    description: 'A task runs although `resource` is held by another, because its policy is to proceed.',
    fields: { taskId: true, policy: true, resource: true, holderTaskId: true },
  },
  'claim.growing': {
    level: 'info',
    description: 'A run needs `resource` as well and waits for the younger run that holds it.',
    fields: { ...run, resource: true, holderTaskId: true },
  },
  'claim.grown': {
    level: 'info',
    description: 'A run holds further paths.',
    fields: { ...run, paths: true, waitedMs: true },
  },
  'claim.kept': {
    level: 'info',
    description: 'A run has ended and its paths stay claimed until its branch is merged or gone.',
    fields: run,
  },
  'claim.released': {
    level: 'debug',
    description: 'A holder gave back what it held.',
    fields: { runnerId: true, taskId: true, heldMs: true },
  },
  'claim.reaped': {
    level: 'warn',
    description: 'What a dead holder held was freed.',
    fields: { runnerId: true, taskId: true },
  },
  'lease.renewal_failed': {
    level: 'warn',
    description: 'A lease could not be renewed this time; it may still be.',
    fields: { runnerId: true, reason: true },
  },
  'lease.lost': {
    level: 'error',
    description: 'A holder lost its lease, or passed its own deadline, and stopped its work.',
    fields: { runnerId: true, taskId: true, reason: true },
  },
  'wait.dead_man_fired': {
    level: 'error',
    description: 'A waiting task came back by its far date instead of a grant: a defect, please report it.',
    fields: { taskId: true },
  },
  'grant.promoted_leftover': {
    level: 'warn',
    description: 'A granted task that nobody had woken was found and woken.',
    fields: { taskId: true },
  },
  'publish.published': {
    level: 'info',
    description: 'The remote accepted the result.',
    fields: { ...run, branch: true, commit: true },
  },
  'publish.rejected': {
    level: 'warn',
    description: 'The remote refused the result, or the branch was moved or deleted meanwhile.',
    fields: { ...run, branch: true, reason: true },
  },
  'publish.doubtful': {
    level: 'warn',
    description:
      'A push ended without an answer; the ledger, or without one the branch, is asked what became of it before anything else is done.',
    fields: { ...run, reason: true },
  },
  'fence.taken': {
    level: 'debug',
    description: 'A run has its token in the task’s ledger at the remote; every earlier run is cut off.',
    fields: { ...run, token: true },
  },
  'fence.unavailable': {
    level: 'warn',
    description: 'The remote keeps no ledgers, so that only the branch’s own lease fences the run.',
    fields: { ...run, reason: true },
  },
  'fence.refused': {
    level: 'warn',
    description: 'A superseded run tried to publish or to write state and was refused.',
    fields: { ...run, reason: true },
  },
  'undeclared.changed': {
    level: 'warn',
    description: 'A run changed files outside its claims; `paths` lists the first of them, `count` counts all.',
    fields: { ...run, paths: true, count: true },
  },
  'worker.started': {
    level: 'info',
    description: 'A worker takes tasks.',
    fields: { workerId: true, host: true, pid: true, concurrency: true },
  },
  'worker.draining': {
    level: 'info',
    description: 'A worker takes no more tasks and ends or gives back those it runs.',
    fields: { workerId: true, running: true },
  },
  'worker.stopped': { level: 'info', description: 'A worker stopped.', fields: { workerId: true } },
  'worker.supervisor_replaced': {
    level: 'error',
    description:
      'The process that watches over a worker’s steps did not answer; it was killed with its runs and replaced.',
    fields: { workerId: true, reason: true },
  },
  'worker.fork_server_replaced': {
    level: 'error',
    description:
      'The process that starts git for a worker died or did not answer; what it had started was ended with it.',
    fields: { workerId: true, reason: true },
  },
  'job.set_aside': {
    level: 'error',
    description: 'A job in the queue is no valid task and was set aside without being run.',
    fields: { jobId: true, reason: true },
  },
  'queue.error': {
    level: 'warn',
    description: 'BullMQ reported an error, such as a lost connection or the lost lock of a job.',
    fields: { reason: true },
  },
  'webhook.delivered': {
    level: 'debug',
    description: 'The receiver at host `to` has taken the message `id`.',
    fields: { id: true, to: true, attempts: true },
  },
  'webhook.failed': {
    level: 'warn',
    description: 'The receiver at host `to` did not take the message `id`; it is sent again later.',
    fields: { id: true, to: true, attempts: true, reason: true },
  },
  'webhook.dropped': {
    level: 'error',
    description: 'The message `id` was given up: the receiver at host `to` refuses it for good, or did so too often.',
    fields: { id: true, to: true, attempts: true, reason: true },
  },
  'redis.unfit': {
    level: 'error',
    description: 'At a worker’s start: with this Redis the promises do not hold; `check` is named as by `doctor`.',
    fields: { check: true, reason: true, next: true },
  },
  'redis.at_risk': {
    level: 'warn',
    description: 'At a worker’s start: with this Redis the promises hold in part only.',
    fields: { check: true, reason: true, next: true },
  },
  'redis.disconnected': { level: 'warn', description: 'The connection to Redis was lost.', fields: { reason: true } },
  'redis.reconnected': {
    level: 'info',
    description: 'The connection to Redis is back.',
    fields: { awayMs: true },
  },
};
