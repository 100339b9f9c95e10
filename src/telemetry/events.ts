/**
 * Every event of Signalbox. Log, metrics, traces, history and the live page subscribe to these; nothing else reports.
 * Durations are in ms. `catalogue.ts` says in words when each comes and which fields it has.
 */

import type { Outcome, TaskState } from '../task/states.ts';
import type { Task } from '../task/task.ts';

/** A phase of a run. */
export type PhaseName = 'prepare' | 'implement' | 'test' | 'publish' | 'archive';

/** What an event about a run names. */
interface RunFacts {
  readonly taskId: string;
  readonly runnerId: string;
  /** The run's number: drawn anew by each successful acquire, it only grows. */
  readonly run: number;
}

/** What is held or wanted: `branch:NAME`, `path:PATH`, `resource:NAME`, `owner:NAME` or `spec:NAME`. */
interface ResourceFacts {
  readonly resource: string;
}

/** A task that cannot have `resource`, and what it does then. */
interface ConflictFacts extends ResourceFacts {
  readonly taskId: string;
  readonly policy: Task['onConflict'];
}

/** Why a run was given up without being charged to its task. */
export type RequeueReason = 'lease_lost' | 'drain' | 'cut_off' | 'supervisor_died' | 'preempted' | 'yielded';

/** A message to a receiver outside; of its address only the host, since the rest may be secret. */
interface WebhookFacts {
  readonly id: string;
  readonly to: string;
}

/** The metrics of a task at its end; null where nothing is known. */
export interface TaskReport {
  /** From submission to the first start. */
  readonly waitMs: number | null;
  /** The part of its life in which something it claims was held by others. */
  readonly blockedMs: number;
  /** Runners in the fleet when the last run started, itself included. */
  readonly concurrentRunners: number | null;
  readonly conflicts: number;
  /** Charged attempts, runs in all, and runs whose worker died. */
  readonly attempts: number;
  readonly runs: number;
  readonly crashes: number;
  /** The phases of the last run, each with its time and its number of steps. */
  readonly phases: Readonly<Record<string, { readonly durationMs: number | null; readonly steps: number }>>;
  readonly artifacts: number;
  readonly commit: string | null;
  readonly error: string | null;
}

/** The fields of each event, by its type. */
export interface EventFields {
  'task.blocked': ConflictFacts & { readonly holderTaskId?: string };
  'task.granted': { readonly taskId: string; readonly waitedMs: number };
  'task.started': RunFacts & {
    readonly workerId: string;
    readonly owner: string;
    /** From submission to this start if it is the first one, else null. */
    readonly waitMs: number | null;
  };
  'run.ended': RunFacts & { readonly durationMs: number };
  'task.retrying': RunFacts & { readonly code: string; readonly delayMs: number };
  'task.requeued': {
    readonly taskId: string;
    readonly reason: string;
    readonly why: RequeueReason;
    readonly state: TaskState;
  };
  'task.too_new': {
    readonly taskId: string;
    readonly workerId: string;
    /** The form that the task is stored in, and the newest that the worker reads. */
    readonly version: number;
    readonly reads: number;
  };
  'task.finished': Outcome & { readonly taskId: string; readonly durationMs: number; readonly report: TaskReport };
  'phase.started': RunFacts & { readonly phase: PhaseName };
  'phase.finished': RunFacts & { readonly phase: PhaseName; readonly ok: boolean; readonly durationMs: number };
  'step.started': RunFacts & { readonly phase: PhaseName; readonly step: string };
  'step.finished': RunFacts & {
    readonly phase: PhaseName;
    readonly step: string;
    /** Null when the step was killed; a handler that fails has 1. */
    readonly exitCode: number | null;
    readonly durationMs: number;
  };
  'claim.acquired': RunFacts & {
    readonly resources: number;
    /** From the grant to this moment, by Redis' clock; null if it was not granted but free. */
    readonly handOverMs: number | null;
  };
  'claim.unconfirmed': { readonly taskId: string; readonly reason: string };
  'claim.conflict': ConflictFacts & { readonly holderTaskId?: string };
  'claim.proceeded': ConflictFacts & { readonly holderTaskId: string };
  'claim.growing': RunFacts & ResourceFacts & { readonly holderTaskId: string };
  'claim.grown': RunFacts & { readonly paths: readonly string[]; readonly waitedMs: number };
  'claim.kept': RunFacts;
  'claim.released': { readonly runnerId: string; readonly taskId?: string; readonly heldMs: number };
  'claim.reaped': { readonly runnerId: string; readonly taskId?: string };
  'lease.renewal_failed': { readonly runnerId: string; readonly reason: string };
  'lease.lost': { readonly runnerId: string; readonly taskId?: string; readonly reason: string };
  'wait.dead_man_fired': { readonly taskId: string };
  'grant.promoted_leftover': { readonly taskId: string };
  'publish.published': RunFacts & { readonly branch: string; readonly commit: string };
  'publish.rejected': RunFacts & { readonly branch: string; readonly reason: string };
  'publish.doubtful': RunFacts & { readonly reason: string };
  'fence.taken': RunFacts & { readonly token: string };
  'fence.unavailable': RunFacts & { readonly reason: string };
  'fence.refused': RunFacts & { readonly reason: string };
  'undeclared.changed': RunFacts & { readonly paths: readonly string[]; readonly count: number };
  'worker.started': {
    readonly workerId: string;
    readonly host: string;
    readonly pid: number;
    readonly concurrency: number;
  };
  'worker.draining': { readonly workerId: string; readonly running: number };
  'worker.stopped': { readonly workerId: string };
  'worker.supervisor_replaced': { readonly workerId: string; readonly reason: string };
  'worker.fork_server_replaced': { readonly workerId: string; readonly reason: string };
  'job.set_aside': { readonly jobId: string; readonly reason: string };
  'queue.error': { readonly reason: string };
  'webhook.delivered': WebhookFacts & { readonly attempts: number };
  'webhook.failed': WebhookFacts & { readonly attempts: number; readonly reason: string };
  'webhook.dropped': WebhookFacts & { readonly attempts: number; readonly reason: string };
  'redis.unfit': { readonly check: string; readonly reason: string; readonly next: string };
  'redis.at_risk': { readonly check: string; readonly reason: string; readonly next: string };
  'redis.disconnected': { readonly reason: string };
  'redis.reconnected': { readonly awayMs: number };
}

/** An event's name. */
export type EventType = keyof EventFields;

/** An event as it is reported: its type and its fields. */
export type SignalboxEvent<T extends EventType = EventType> = {
  [K in T]: { readonly type: K } & EventFields[K];
}[T];

/** An event as subscribers get it: with its time, ISO 8601 in UTC. */
export type StampedEvent<T extends EventType = EventType> = SignalboxEvent<T> & { readonly at: string };

/** Is told of events. What it throws or rejects with is kept away from whoever reported the event. */
export type Subscriber<T extends EventType = EventType> = (event: StampedEvent<T>) => unknown;

/** Where events are reported and subscribed to. */
export interface Events {
  /** Reports an event to its subscribers, in the order they came. Never throws. */
  emit(event: SignalboxEvent): void;
  /** Subscribes to one type, or to all with `*`. Gives the function that ends the subscription. */
  on<T extends EventType>(type: T, subscriber: Subscriber<T>): () => void;
  on(type: '*', subscriber: Subscriber): () => void;
}

/** What `createEvents` may be given. */
export interface EventsOptions {
  /** The clock, in ms since 1970. */
  readonly now?: () => number;
  /** Is told what a subscriber threw or rejected with. */
  readonly onSubscriberError?: (error: unknown, event: StampedEvent) => void;
}

/** A new emitter. Subscribers are called at once, one after the other; one that fails harms nobody else. */
export function createEvents({ now = Date.now, onSubscriberError = () => undefined }: EventsOptions = {}): Events {
  const subscribers = new Map<string, Set<Subscriber>>();
  // Events come in groups: the text of a moment is made once.
  let moment = { ms: Number.NaN, text: '' };

  function stamp(): string {
    const ms = now();
    if (ms !== moment.ms) moment = { ms, text: new Date(ms).toISOString() };
    return moment.text;
  }

  function tell(subscriber: Subscriber, event: StampedEvent): void {
    const failed = (error: unknown): void => {
      try {
        onSubscriberError(error, event);
      } catch {
        // Nobody is left to tell.
      }
    };
    try {
      const result = subscriber(event);
      if (result instanceof Promise) result.catch(failed);
    } catch (error) {
      failed(error);
    }
  }

  return {
    emit(event) {
      if (!subscribers.has(event.type) && !subscribers.has('*')) return;
      const stamped: StampedEvent = Object.freeze({ ...event, at: stamp() });
      for (const type of [event.type, '*']) {
        for (const subscriber of [...(subscribers.get(type) ?? [])]) tell(subscriber, stamped);
      }
    },
    on(type: string, subscriber: Subscriber<never>) {
      const list = subscribers.get(type) ?? new Set();
      subscribers.set(type, list);
      const own: Subscriber = (event) => subscriber(event as never);
      list.add(own);
      return () => list.delete(own);
    },
  };
}
