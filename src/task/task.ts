/** A task in its normal form: what is queued, stored and run. Made only by `parseTask` and `parseEnvelope`. */

/** What a task must hold to run. */
export interface Claims {
  /** Exclusive paths and globs, relative to the repository. */
  readonly write: readonly string[];
  /** Shared paths and globs: readers together, never beside a writer. */
  readonly read: readonly string[];
  /** Named, counted things: one slot of each. */
  readonly resources: readonly string[];
  /** How long the paths are kept: until the end of the task, or until its branch is merged or gone. */
  readonly until: 'published' | 'merged';
  /** What happens to files changed outside the claims: claimed before publishing, a failure, or a warning. */
  readonly undeclared: 'claim' | 'fail' | 'warn';
}

/** What a step runs. */
export type Command =
  | { readonly kind: 'shell'; readonly script: string }
  | { readonly kind: 'argv'; readonly argv: readonly string[] }
  | { readonly kind: 'handler'; readonly handler: string; readonly input?: unknown };

/** One step of a phase. */
export interface Step {
  readonly name: string;
  readonly command: Command;
  /** The most that one try may take, in ms. Without it only the task's own timeout holds. */
  readonly timeoutMs?: number;
  /** How often the step is tried again at once when it fails. */
  readonly retries: number;
}

/** A task in its normal form. */
export interface Task {
  readonly title: string;
  /** The repository's address or a local path, as submitted. */
  readonly repo: string;
  /** A branch, tag, commit, or `task:<id>` for another task's result; without it the remote's HEAD. */
  readonly base?: string;
  /** Where the work is pushed; without it a branch named after the task. */
  readonly branch?: string;
  readonly claims: Claims;
  readonly implement: readonly Step[];
  /** `auto`: found by the project's marker files. */
  readonly test: readonly Step[] | 'auto';
  /** Whether the first failing test step ends the test phase. */
  readonly failFast: boolean;
  readonly publish: 'push' | 'land' | 'patch' | 'none';
  readonly message?: string;
  readonly onConflict: 'wait' | 'fail' | 'skip' | 'proceed' | 'supersede' | 'preempt';
  /** From the first time the task is blocked, in ms; without it there is no limit. */
  readonly waitTimeoutMs?: number;
  /** When a task of a higher priority may stop it: between two steps, at once, or not. */
  readonly preemptible: 'steps' | 'anytime' | 'never';
  /** The most that one run may take, waiting aside, in ms. */
  readonly timeoutMs: number;
  /** How long a step may be without output, in ms. */
  readonly stallTimeoutMs: number;
  readonly attempts: number;
  readonly priority: 'urgent' | 'high' | 'normal' | 'low';
  readonly owner?: string;
  readonly spec?: string;
  /** Task ids, or idempotency keys of tasks in the same list. */
  readonly dependsOn: readonly string[];
  readonly checkout: 'full' | 'claimed';
  /** Further paths to check out when only the claimed ones are. */
  readonly include: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** Names of secrets; the values never leave the worker. */
  readonly secrets: readonly string[];
  readonly idempotencyKey?: string;
}
