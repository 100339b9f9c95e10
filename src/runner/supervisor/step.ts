import { stat } from 'node:fs/promises';
import type { Cgroup, CgroupLimits, Cgroups } from './cgroup.ts';
import { findCommand, type Wall } from './isolation.ts';
import { LimitWatch } from './limit-watch.ts';
import type { Pipes } from './pipes.ts';
import type { StepLimits, StepOptions, StepOutcome, StepResult } from './protocol.ts';
import { scrub } from './scrubber.ts';
import { StepOutput } from './step-output.ts';
import { type Exit, StepProcess } from './step-process.ts';

/** What a step needs of its supervisor. */
export interface StepHost {
  readonly wall: Wall;
  /** Undefined where none can be made. */
  readonly cgroups: Cgroups | undefined;
  readonly pipes: Pipes;
}

/** Why a step is ended before it ends by itself. */
export interface StepEnd {
  readonly outcome: Exclude<StepOutcome, 'exited' | 'not_started'>;
  readonly error: string;
}

/** How often a step's limits are looked at; oftener for short ones. */
const LONGEST_LOOK_MS = 100;

/**
 * One step, in the supervisor.
 *
 * It is *preparing* (looking for its folder, command and log), then *running*, then *dead* (its first process has ended
 * and nothing of it lives), then *told* (its output is read to the end and the result given). `end` may come at any
 * time: while preparing it prevents the start; while running it kills, for a timeout or a stall after SIGTERM and 2 s;
 * later it starts nothing and kills nothing. The first reason counts.
 *
 * A step is over when its first process ends. What that has left in the background is killed then: nothing of a step
 * outlives it, and a daemon that holds its output open cannot keep it from ending.
 */
export class Step {
  readonly #runId: string;
  readonly #options: StepOptions;
  readonly #host: StepHost;
  readonly #startedAt = new Date();
  readonly #startMs = performance.now();
  #end: StepEnd | undefined;
  #process: StepProcess | undefined;

  constructor(runId: string, options: StepOptions, host: StepHost) {
    this.#runId = runId;
    this.#options = options;
    this.#host = host;
  }

  /** Runs it to its end. Never throws: what went wrong is in the result. `onStart` is told the process group. */
  async run(onStart: (pid: number) => void): Promise<StepResult> {
    let output: StepOutput | undefined;
    try {
      const command = await findStepCommand(this.#options);
      output = await StepOutput.open(this.#options, this.#host.pipes);
      const exit = this.#end === undefined ? await this.#runProcess(command, { output, onStart }) : undefined;
      await output.close();
      return this.#result(this.#endOf(exit, output), { exit, output });
    } catch (error) {
      await output?.close();
      const reason = error instanceof Error ? error.message : String(error);
      return this.#result(this.#end ?? { outcome: 'not_started', error: reason }, { output });
    }
  }

  /** Ends it for a reason; at once, unless it overran a limit of its own. */
  end(reason: StepEnd): void {
    this.#end ??= reason;
    const soft = reason.outcome === 'timeout' || reason.outcome === 'stalled';
    void (soft ? this.#process?.terminate() : this.#process?.kill());
  }

  async #runProcess(
    command: readonly string[],
    { output, onStart }: { output: StepOutput; onStart: (pid: number) => void },
  ): Promise<Exit> {
    const { cwd, env, limits } = this.#options;
    const { wall, cgroups } = this.#host;
    const cgroup = cgroups?.make(this.#runId, groupLimits(wall, limits));
    try {
      const step = new StepProcess({ runId: this.#runId, wall, cgroup, command, cwd, env, outputFd: output.writeFd });
      this.#process = step;
      if (step.pid !== undefined) onStart(step.pid);
      output.start();
      return await this.#watch(step, { output, cgroup });
    } finally {
      this.#process = undefined;
      await cgroup?.remove();
    }
  }

  /** Waits for the step's end, and ends it when it takes too long or too much. Nothing of it lives when this resolves. */
  async #watch(
    step: StepProcess,
    { output, cgroup }: { output: StepOutput; cgroup: Cgroup | undefined },
  ): Promise<Exit> {
    const { limits } = this.#options;
    const { wall, cgroups } = this.#host;
    const times = this.#watchTimes(output);
    const watched = { cgroup, bound: cgroups?.controllers ?? [], pids: () => step.pids, wallProcesses: wall.processes };
    const exceeded = (error: string): void => this.end({ outcome: 'limit', error });
    const watch = limits === undefined ? undefined : new LimitWatch({ ...watched, limits }, exceeded);
    try {
      return await step.exited;
    } finally {
      clearInterval(times);
      this.#process = undefined;
      await step.killRest();
      await watch?.stop();
    }
  }

  /** A limit must be seen overrun twice: after a pause of the supervisor itself, output may wait to be read. */
  #watchTimes(output: StepOutput): NodeJS.Timeout {
    const { timeoutMs = Infinity, stallTimeoutMs = Infinity } = this.#options;
    const lookMs = Math.max(1, Math.min(LONGEST_LOOK_MS, timeoutMs / 10, stallTimeoutMs / 10));
    let looks = 0;
    return setInterval(() => {
      const nowMs = performance.now();
      const tookTooLong = nowMs - this.#startMs >= timeoutMs;
      const silentTooLong = nowMs - output.lastAtMs >= stallTimeoutMs;
      looks = tookTooLong || silentTooLong ? looks + 1 : 0;
      if (looks < 2 || this.#end !== undefined) return;
      this.end(
        tookTooLong
          ? { outcome: 'timeout', error: `the step took longer than ${timeoutMs} ms` }
          : { outcome: 'stalled', error: `the step wrote nothing for ${stallTimeoutMs} ms` },
      );
    }, lookMs);
  }

  #endOf(exit: Exit | undefined, output: StepOutput): { outcome: StepOutcome; error?: string | undefined } {
    if (this.#end !== undefined) return this.#end;
    if (exit?.notStarted !== undefined) return { outcome: 'not_started', error: exit.notStarted };
    return { outcome: 'exited', error: output.logError };
  }

  #result(
    { outcome, error }: { outcome: StepOutcome; error?: string | undefined },
    { exit, output }: { exit?: Exit | undefined; output?: StepOutput | undefined },
  ): StepResult {
    return {
      outcome,
      exitCode: exit?.exitCode ?? null,
      signal: exit?.signal ?? null,
      startedAt: this.#startedAt.toISOString(),
      durationMs: Math.round(performance.now() - this.#startMs),
      outputTail: output?.tail ?? '',
      logBytes: output?.logBytes ?? 0,
      truncated: (output?.droppedBytes ?? 0) > 0,
      droppedBytes: output?.droppedBytes ?? 0,
      ...(error === undefined ? {} : { error: scrub(error, this.#options.secrets) }),
    };
  }
}

/** The wall's own processes are in the group too. */
function groupLimits(wall: Wall, { memoryBytes, processes }: Partial<StepLimits> = {}): CgroupLimits {
  return {
    ...(memoryBytes === undefined ? {} : { memoryBytes }),
    ...(processes === undefined ? {} : { processes: processes + wall.processes }),
  };
}

/** The command line with its file found. Throws why it cannot be started. */
async function findStepCommand({ command, cwd, env }: StepOptions): Promise<string[]> {
  const folder = await stat(cwd).catch(() => undefined);
  if (!folder?.isDirectory()) throw new Error(`the working folder does not exist: ${cwd}`);
  if (command.kind === 'shell') return ['/bin/sh', '-c', command.script];
  const [name = '', ...args] = command.argv;
  const file = findCommand(name, env['PATH'] ?? '', cwd);
  if (file === undefined) throw new Error(`command not found or not executable: ${name || '(empty)'}`);
  return [file, ...args];
}
