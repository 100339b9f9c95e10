/** The public API of Signalbox. */

export type { StateChange } from './client/changes.ts';
export type { ClaimsView } from './client/claims-view.ts';
export { type CreateWorkerOptions, createWorker } from './client/create-worker.ts';
export type { DrainedWorker } from './client/drain.ts';
export type { TaskEstimate } from './client/dry-run.ts';
export type { Explanation } from './client/explain.ts';
export type { ClaimMode, HeldResource } from './client/held.ts';
export type { HoldContext } from './client/hold.ts';
export type { HotSpot, HotView } from './client/hot.ts';
export type { KeptClaim } from './client/kept.ts';
export type { Limits } from './client/limits.ts';
export type { ClaimSession, SessionClaim } from './client/session.ts';
export { type HoldClaims, type ListFilter, Signalbox } from './client/signalbox.ts';
export type { Blocker, BlockingHolder, ChainLink } from './client/standing.ts';
export type { Status, TaskSummary, TaskView } from './client/views.ts';
export { type Config, defineConfig } from './config/config.ts';
export type { Options } from './config/options.ts';
export { ERROR_CODES, type ErrorCode, type ErrorFacts, SignalboxError } from './errors.ts';
export type { Artifact, ConflictReport, HistoryEntry, PhaseReport, StepReport } from './queue/record.ts';
export type { AcceptedTask } from './queue/store.ts';
export type { Handler, HandlerContext, Handlers, HeldClaim } from './runner/services.ts';
export type { Worker } from './runner/worker.ts';
export type { TaskInput } from './task/schema.ts';
export type { TaskCode, TaskState } from './task/states.ts';
export type { Command, Step, Task } from './task/task.ts';
export { createEvents, type Events, type EventType, type SignalboxEvent } from './telemetry/events.ts';
