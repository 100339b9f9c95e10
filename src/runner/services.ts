/** What every run of a worker shares. Made once by `worker.ts`, passed down; nobody keeps a module-level client. */

import type { Clock } from '../claims/clock.ts';
import type { Config } from '../config/config.ts';
import type { Git } from '../git/git.ts';
import type { Mirrors } from '../git/mirror.ts';
import type { SpareWorkspaces } from '../git/spare-workspaces.ts';
import type { TaskQueue } from '../queue/task-queue.ts';
import type { Task } from '../task/task.ts';
import type { Events } from '../telemetry/events.ts';
import type { Run } from './run.ts';
import type { Solitude } from './solitude.ts';
import type { Supervisor } from './supervisor/client.ts';

/** What a handler gets beside its task. */
export interface HandlerContext {
  /** Aborted when the run must stop: lost lease, cancel, timeout, drain. */
  readonly signal: AbortSignal;
  /** What is held while the handler runs; called with paths it takes more, and resolves when that is held. */
  readonly claim: HeldClaim & ((...write: string[]) => Promise<void>);
  /** The step's `input`. */
  readonly input: unknown;
  /** The path of this run's own checkout, made at the first call. */
  readonly workspace: () => Promise<string>;
}

/** A held claim in the task's own words. */
export interface HeldClaim {
  readonly taskId: string;
  readonly runnerId: string;
  readonly run: number;
  readonly branch: string;
  readonly write: readonly string[];
  readonly read: readonly string[];
}

/** A step written in TypeScript. What it returns is not kept; throwing fails the step. */
export type Handler = (task: Task & { readonly id: string }, context: HandlerContext) => unknown;

/** The handlers of a worker by the name that steps call them by. */
export type Handlers = Readonly<Record<string, Handler>>;

/** Everything a run needs from its worker. */
export interface Services {
  readonly config: Readonly<Config>;
  readonly queue: TaskQueue;
  readonly events: Events;
  readonly git: Git;
  readonly mirrors: Mirrors;
  readonly spares: SpareWorkspaces;
  /** The supervisor of this worker's steps, started when first needed and replaced when it dies. */
  readonly supervisor: () => Promise<Supervisor>;
  readonly handlers: Handlers;
  readonly solitude: Solitude;
  /** The runs under way, by task id. */
  readonly runs: Map<string, Run>;
  /** Runners of this worker that have ended and whose work could not be kept yet, for want of disk. */
  readonly leftBehind: Set<string>;
  readonly clock: Clock;
  /** The worker's environment: steps get an allow list of it, and the secrets they name. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly workerId: string;
  readonly host: string;
}
