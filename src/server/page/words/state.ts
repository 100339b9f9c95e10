/** States and phases: their order and what they are called. */

import type { TaskState } from '../../../task/states.ts';

/** Every state with the words for it. The compiler holds it to the states there are. */
export const STATE_WORDS: Readonly<Record<TaskState, string>> = {
  queued: 'Queued',
  scheduled: 'Scheduled',
  blocked: 'Blocked',
  running: 'Running',
  succeeded: 'Succeeded',
  failed: 'Failed',
  cancelled: 'Cancelled',
  skipped: 'Skipped',
};

/** All states, in the order of a task's life. */
export const STATES = Object.keys(STATE_WORDS) as TaskState[];

const ENDED: ReadonlySet<string> = new Set<TaskState>(['succeeded', 'failed', 'cancelled', 'skipped']);

/** Whether a state is final. */
export function hasEnded(state: string): boolean {
  return ENDED.has(state);
}

/** A code such as `test_failed` in words. */
export function codeWords(code: string): string {
  return code.replace(/_/g, ' ');
}

/** What an id of a runner stands for when it is not a task: a program that holds claims. */
export function kindWords(kind: string): string {
  switch (kind) {
    case 'exec':
      return 'held by a program';
    case 'merged':
      return 'kept until merged';
    case 'reserved':
      return 'reserved';
    case 'kept':
      return 'kept for';
    default:
      return 'held by';
  }
}
