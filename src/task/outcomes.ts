/** What each way to end means, and what the user can do next: the words that `explain` and the docs use. */

import type { CancelledCode, FailedCode, Outcome, SkippedCode } from './states.ts';

/** A sentence about what happened, and one about what to do. */
export interface Explanation {
  readonly summary: string;
  readonly next: string;
}

/** The explanations by state and code. */
export const EXPLANATIONS: {
  readonly failed: Readonly<Record<FailedCode, Explanation>>;
  readonly cancelled: Readonly<Record<CancelledCode, Explanation>>;
  readonly skipped: Readonly<Record<SkippedCode, Explanation>>;
} = {
  failed: {
    implement_failed: {
      summary: 'A step of the implement phase failed in every attempt.',
      next: 'Read the logs of the failing step, correct its command or its input, then retry the task.',
    },
    test_failed: {
      summary: 'A test step failed in every attempt, so nothing was published.',
      next: 'Read the logs of the failing test; the work is kept as a patch among the artifacts.',
    },
    timeout: {
      summary: 'A run took longer than the task or the step allows.',
      next: 'Raise `timeout`, or split the task into smaller ones.',
    },
    stalled: {
      summary: 'A step gave no output for longer than the stall timeout.',
      next: 'See in the logs what it was waiting for, perhaps for input; raise `stallTimeout` if silence is normal.',
    },
    conflict: {
      summary: 'Something that the task must hold was held by others, and its policy is not to wait.',
      next: 'Retry it later, or submit it with another `onConflict`, such as `wait`.',
    },
    wait_timeout: {
      summary: 'The task could not get all that it must hold before its wait timeout passed.',
      next: 'Raise `waitTimeout`, claim less, or wait until the holder has ended.',
    },
    publish_rejected: {
      summary: 'The remote refused the result, or somebody else moved or deleted the branch meanwhile.',
      next: 'Look at the branch; the work is kept as a patch among the artifacts and a retry starts from the new tip.',
    },
    land_conflict: {
      summary: 'In its last attempt the result did not apply to the base branch, or failed its tests there.',
      next: 'Retry it to start from the new base, or merge by hand: the work is on its branch, or a patch among the artifacts.',
    },
    workspace_failed: {
      summary: 'The repository could not be fetched or the workspace could not be made.',
      next: 'Check the address, the credentials and the free disk space on the worker, then retry the task.',
    },
    crashed: {
      summary: 'The worker died each time it ran this task, so the task was set aside.',
      next: 'Look for what kills the worker, such as memory; run the task alone before it is retried with others.',
    },
    invalid: {
      summary: 'The stored task is not valid and was never started.',
      next: 'Submit it again; if it was submitted in the usual way, check who else writes to this Redis.',
    },
  },
  cancelled: {
    cancelled: { summary: 'The task was cancelled.', next: 'Retry it if that was a mistake.' },
    superseded: {
      summary: 'A newer task on the same branch took its place.',
      next: 'Follow the newer task.',
    },
  },
  skipped: {
    conflict: {
      summary: 'Something that the task must hold was held by others, and its policy is to skip then.',
      next: 'Retry it later if it is still wanted.',
    },
    dependency_failed: {
      summary: 'A task that it depends on did not succeed.',
      next: 'Correct and retry that task first, then retry this one.',
    },
  },
};

/** What an outcome means and what to do next. */
export function explanationOf(outcome: Outcome): Explanation {
  switch (outcome.state) {
    case 'succeeded':
      return { summary: 'The task succeeded.', next: 'Nothing is left to do.' };
    case 'failed':
      return EXPLANATIONS.failed[outcome.code];
    case 'cancelled':
      return EXPLANATIONS.cancelled[outcome.code];
    case 'skipped':
      return EXPLANATIONS.skipped[outcome.code];
  }
}
