/** How a run ends. */

import { SignalboxError } from '../errors.ts';
import type { FailedCode } from '../task/states.ts';
import { scrub } from './supervisor/scrubber.ts';

/** Why a run was stopped from outside before its end. */
export type StopReason =
  | 'cancelled'
  | 'timeout'
  | 'lease_lost'
  | 'superseded'
  | 'drain'
  | 'supervisor_died'
  /** An earlier run has published it. */
  | 'published'
  /** A newer run has the task's ledger in the remote. */
  | 'cut_off'
  /** It makes way for a task of a higher priority. */
  | 'preempted'
  /** It needs what an older run holds, and gives up all it holds. */
  | 'yielded';

/** How a run ended. A failure with `retry` is tried again while the task has attempts left. */
export type Ending =
  | { readonly kind: 'succeeded' }
  | { readonly kind: 'failed'; readonly code: FailedCode; readonly message: string; readonly retry: boolean }
  | { readonly kind: 'stopped'; readonly why: StopReason };

/** The reason that a run's signal is aborted with. */
export class RunStopped extends Error {
  override readonly name = 'RunStopped';
  readonly why: StopReason;

  constructor(why: StopReason) {
    super(`the run was stopped: ${why}`);
    this.why = why;
  }
}

/** A failure that may pass when the task is run again. */
export function failed(code: FailedCode, message: string): Extract<Ending, { kind: 'failed' }> {
  return { kind: 'failed', code, message, retry: true };
}

/** A failure that another run would meet again. */
export function failedForGood(code: FailedCode, message: string): Ending {
  return { kind: 'failed', code, message, retry: false };
}

/** What an error that was thrown in a phase means. Faults of the task's own input are not tried again. */
export function endingOf(error: unknown): Ending {
  if (error instanceof RunStopped) {
    return error.why === 'published' ? { kind: 'succeeded' } : { kind: 'stopped', why: error.why };
  }
  if (!(error instanceof SignalboxError))
    return failed('workspace_failed', error instanceof Error ? error.message : String(error));
  const message = `${error.message.replace(/[^.!?]$/, '$&.')} ${error.next}`;
  const forGood = error.code === 'INVALID' || error.code === 'UNSUPPORTED';
  return forGood ? failedForGood('workspace_failed', message) : failed('workspace_failed', message);
}

/** The same without the values of secrets, for the record, events and the log. */
export function withoutSecrets(ending: Ending, secrets: readonly string[]): Ending {
  return ending.kind === 'failed' ? { ...ending, message: scrub(ending.message, secrets) } : ending;
}
