/**
 * The states of a task, the one table of allowed transitions, and the closed sets of codes that tell why a task ended.
 * What each code means to a user is in `outcomes.ts`.
 */

/** Every state, in the order of a task's life. */
export const STATES = [
  'queued',
  'scheduled',
  'blocked',
  'running',
  'succeeded',
  'failed',
  'cancelled',
  'skipped',
] as const;
/** A task's state. */
export type TaskState = (typeof STATES)[number];

/** The states that are final. */
export const TERMINAL_STATES = ['succeeded', 'failed', 'cancelled', 'skipped'] as const;
/** A final state. */
export type TerminalState = (typeof TERMINAL_STATES)[number];

/** Why a task failed. */
export const FAILED_CODES = [
  'implement_failed',
  'test_failed',
  'timeout',
  'stalled',
  'conflict',
  'wait_timeout',
  'publish_rejected',
  'land_conflict',
  'workspace_failed',
  'crashed',
  'invalid',
] as const;
/** Why a task was cancelled. */
export const CANCELLED_CODES = ['cancelled', 'superseded'] as const;
/** Why a task was skipped. */
export const SKIPPED_CODES = ['conflict', 'dependency_failed'] as const;

/** All codes. */
export const TASK_CODES = [...new Set([...FAILED_CODES, ...CANCELLED_CODES, ...SKIPPED_CODES])];

/** One of `FAILED_CODES`. */
export type FailedCode = (typeof FAILED_CODES)[number];
/** One of `CANCELLED_CODES`. */
export type CancelledCode = (typeof CANCELLED_CODES)[number];
/** One of `SKIPPED_CODES`. */
export type SkippedCode = (typeof SKIPPED_CODES)[number];
/** Any code of a task that ended otherwise than by success. */
export type TaskCode = FailedCode | CancelledCode | SkippedCode;

/** How a task ended: a final state with a code that belongs to it. */
export type Outcome =
  | { readonly state: 'succeeded'; readonly code: null }
  | { readonly state: 'failed'; readonly code: FailedCode }
  | { readonly state: 'cancelled'; readonly code: CancelledCode }
  | { readonly state: 'skipped'; readonly code: SkippedCode };

const ENDS_WITHOUT_RUN = ['failed', 'cancelled', 'skipped'] as const;

/**
 * Where each state may go. A running task goes back to `queued` when its worker drains, or when it is found that its
 * worker died, to `scheduled` for a retry with backoff, and to `blocked` when others hold what its next run claims.
 * Only a run can succeed.
 */
export const TRANSITIONS: Readonly<Record<TaskState, readonly TaskState[]>> = {
  queued: ['scheduled', 'blocked', 'running', ...ENDS_WITHOUT_RUN],
  scheduled: ['queued', 'blocked', 'running', ...ENDS_WITHOUT_RUN],
  blocked: ['queued', 'scheduled', 'running', ...ENDS_WITHOUT_RUN],
  running: ['queued', 'scheduled', 'blocked', ...TERMINAL_STATES],
  succeeded: [],
  failed: [],
  cancelled: [],
  skipped: [],
};

/** Whether a task may go from one state to another. Staying in a state is no transition, so the answer is no. */
export function canMove(from: TaskState, to: TaskState): boolean {
  return TRANSITIONS[from].includes(to);
}

/** Whether a state is final. */
export function isTerminal(state: TaskState): state is TerminalState {
  return TRANSITIONS[state].length === 0;
}

/** The codes that a final state may carry; none for `succeeded`. */
export function codesOf(state: TerminalState): readonly TaskCode[] {
  return { succeeded: [], failed: FAILED_CODES, cancelled: CANCELLED_CODES, skipped: SKIPPED_CODES }[state];
}
