/**
 * What a worker and its supervisor say to each other: plain data, over the channel that `fork` opens.
 *
 * Every request carries a number. The supervisor answers it twice: `seen` at once, so that a supervisor that hangs is
 * found out, and `done` when what was asked for is the case, which for a step is its end.
 */
import type { Command } from '../../task/task.ts';
import type { Controller } from './cgroup-homes.ts';
import type { Deadline } from './clock.ts';

/** How well a run is walled in: its own pid namespace, or only a process group that is searched for what left it. */
export interface Isolation {
  readonly level: 'pidns' | 'group';
  /** One sentence for people: what holds at this level and what does not. */
  readonly detail: string;
  /** The control group that each step gets; `null` where none can be made. */
  readonly cgroup: { readonly version: 1 | 2; readonly controllers: readonly Controller[] } | null;
}

/** What a step may use. A control group holds it to memory and processes, else its processes are looked at now and then. */
export interface StepLimits {
  readonly memoryBytes?: number;
  /** Processes and threads at once. */
  readonly processes?: number;
  /** What `folder` may hold. */
  readonly diskBytes?: number;
  readonly folder: string;
}

/** A command line: given to `/bin/sh -c` (the POSIX shell, not bash), or run as it is, without a shell. */
export type StepCommand = Exclude<Command, { readonly kind: 'handler' }>;

/** One step of a run. Its stdin is `/dev/null`; stdout and stderr are one stream, in the order of writing. */
export interface StepOptions {
  readonly name: string;
  readonly command: StepCommand;
  /** An existing folder; a missing one gives `not_started`. */
  readonly cwd: string;
  /** All of the step's environment. The supervisor only sets `SIGNALBOX_RUNNER_ID` in it, to find processes by. */
  readonly env: Readonly<Record<string, string>>;
  /** After this long the step is asked to end (SIGTERM), and killed 2 s later. */
  readonly timeoutMs?: number;
  /** The same after this long without output. */
  readonly stallTimeoutMs?: number;
  readonly limits?: StepLimits;
  /** Appended to; made with mode 0600, its folder too if need be. */
  readonly logFile: string;
  /** How much of this step's output the log keeps, from its beginning; the end is in `outputTail`. */
  readonly logLimitBytes: number;
  /** Values (not names) that no log and no tail may show. */
  readonly secrets: readonly string[];
}

/**
 * How a step ended. `exited`: by itself, whatever its exit code. `timeout` and `stalled`: it took, or was silent, too
 * long. `limit`: it used more than its limits allow; `error` says what of. `killed`: by `kill`, `close`, `stop` or the death of the supervisor. `deadline`: the run's deadline passed.
 * `not_started`: no process of it ever ran; `error` says why.
 */
export type StepOutcome = 'exited' | 'timeout' | 'stalled' | 'limit' | 'killed' | 'deadline' | 'not_started';

/** What a step came to. No process of the step is alive any more when this is given out. */
export interface StepResult {
  readonly outcome: StepOutcome;
  /** `null` when a signal ended it or it never ran. */
  readonly exitCode: number | null;
  /** As `SIGKILL`; `null` when it exited or never ran. */
  readonly signal: string | null;
  /** ISO 8601, UTC. */
  readonly startedAt: string;
  readonly durationMs: number;
  /** The last 8 KB of output at most, scrubbed, valid text. */
  readonly outputTail: string;
  /** What this step added to the log file, marker line included. */
  readonly logBytes: number;
  /** Output beyond `logLimitBytes` was counted and dropped. */
  readonly truncated: boolean;
  readonly droppedBytes: number;
  readonly error?: string;
}

/** From the worker. `extend` replaces the deadline; a run whose deadline has passed stays dead. */
export type Request =
  | { readonly do: 'open'; readonly runId: string; readonly deadline: Deadline }
  | { readonly do: 'extend'; readonly runId: string; readonly deadline: Deadline }
  | { readonly do: 'step'; readonly runId: string; readonly step: StepOptions }
  | { readonly do: 'kill'; readonly runId: string; readonly reason: string }
  | { readonly do: 'close'; readonly runId: string }
  | { readonly do: 'stop' };

/** A request as it travels. */
export type NumberedRequest = Request & { readonly id: number };

/** From the supervisor. `started` tells a step's process group, for the worker to clean up by if the supervisor dies. */
export type Answer =
  | { readonly say: 'ready'; readonly isolation: Isolation }
  | { readonly say: 'seen'; readonly id: number }
  | { readonly say: 'started'; readonly runId: string; readonly pid: number }
  | { readonly say: 'done'; readonly id: number; readonly result?: StepResult };
