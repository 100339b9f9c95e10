/**
 * The one error class of Signalbox and its closed set of codes.
 *
 * Expected outcomes (a conflict, a blocked task, a lost lease) are return values, not errors. An error says what
 * happened in `message` and what to do in `next`; facts are fields, never parsed out of the text.
 */

/** Every code an error can carry, with the exit code the CLI gives for it. */
export const ERROR_CODES = {
  /** The input is not valid; `field` names the place. */
  INVALID: 2,
  /** A command was typed wrongly. */
  USAGE: 2,
  /** No task has this id, as far as Redis knows. */
  NOT_FOUND: 1,
  /** The id was given out by this queue, but Redis has lost the task. */
  TASK_LOST: 1,
  /** The task's state does not allow what was asked. */
  STATE: 1,
  /** The same idempotency key came with another body. */
  IDEMPOTENCY: 2,
  /** A claim cannot be had now and the caller did not want to wait. */
  CONFLICT: 3,
  /** The claim was lost while it was held. */
  LEASE_LOST: 1,
  /** An awaited task ended as failed, cancelled or skipped. */
  TASK_FAILED: 4,
  /** Redis cannot be reached. */
  REDIS_UNREACHABLE: 5,
  /** Redis answers, but its memory or its disk is full. */
  REDIS_FULL: 5,
  /** The user of Redis has no right to do that. */
  FORBIDDEN: 1,
  /** The git remote cannot be reached. */
  REMOTE_UNREACHABLE: 5,
  /** git answered with an error that has no code of its own. */
  GIT: 1,
  /** A workspace could not be made or is not what it should be. */
  WORKSPACE: 1,
  /** A known part of the design that a later version brings. */
  UNSUPPORTED: 2,
  /** A defect in Signalbox itself. */
  INTERNAL: 1,
} as const;

/** One of the closed set of error codes. */
export type ErrorCode = keyof typeof ERROR_CODES;

/** What an error carries beside its code and message. */
export interface ErrorFacts {
  /** What the user can do now. One sentence. */
  readonly next: string;
  /** The input field that is wrong, as a path like `claims.write[0]`. */
  readonly field?: string;
  /** What led to this error. */
  readonly cause?: unknown;
  /** Further facts, safe to show. */
  readonly details?: Readonly<Record<string, unknown>>;
}

/** Thrown for everything that is not an expected outcome. */
export class SignalboxError extends Error {
  override readonly name = 'SignalboxError';
  readonly code: ErrorCode;
  readonly next: string;
  readonly field: string | undefined;
  readonly details: Readonly<Record<string, unknown>>;

  constructor(code: ErrorCode, message: string, facts: ErrorFacts) {
    super(message, facts.cause === undefined ? undefined : { cause: facts.cause });
    this.code = code;
    this.next = facts.next;
    this.field = facts.field;
    this.details = facts.details ?? {};
  }

  /** The CLI's exit code for this error (design: 1 failed, 2 usage, 3 conflict, 4 task failed, 5 unreachable). */
  get exitCode(): number {
    return ERROR_CODES[this.code];
  }

  /** The shape that `--json` and the HTTP API print: `{code, message, next, field?}`. */
  toJSON(): { code: ErrorCode; message: string; next: string; field?: string } {
    return {
      code: this.code,
      message: this.message,
      next: this.next,
      ...(this.field === undefined ? {} : { field: this.field }),
    };
  }
}
