/** Runs one step of a phase: a command under the supervisor, or a handler of the worker. */

import { join } from 'node:path';
import type { Config } from '../config/config.ts';
import type { StepReport } from '../queue/record.ts';
import type { FailedCode } from '../task/states.ts';
import type { Command, Step } from '../task/task.ts';
import { type Ending, failed } from './ending.ts';
import { grow } from './growth.ts';
import { ensureCheckout } from './phases/prepare.ts';
import type { Run } from './run.ts';
import type { StepLimits, StepResult } from './supervisor/protocol.ts';
import { scrub } from './supervisor/scrubber.ts';
import { stepEnv } from './supervisor/step-env.ts';

/** How much of a step's output its report keeps. */
const TAIL_CHARACTERS = 4_000;

/** What the failure of a step is called in its phase. */
export type StepFailureCode = Extract<FailedCode, 'implement_failed' | 'test_failed'>;

/** Runs a step, again at once while it fails and has retries left. Answers the failure of the last try. */
export async function runStep(run: Run, step: Step, code: StepFailureCode): Promise<Ending | undefined> {
  for (let tries = 0; ; tries += 1) {
    await makeWay(run);
    const ending = await tryStep(run, step, code);
    run.signal.throwIfAborted();
    if (ending === undefined || tries >= step.retries) return ending;
  }
}

/** Between two steps a run stops for a task of a higher priority that cannot start otherwise. */
async function makeWay(run: Run): Promise<void> {
  if (run.task.preemptible === 'never' || run.progress.steps === 0) return;
  if ((await run.services.queue.store.preemptor(run.record.id)) === undefined) return;
  run.stop('preempted');
  run.signal.throwIfAborted();
}

async function tryStep(run: Run, step: Step, code: StepFailureCode): Promise<Ending | undefined> {
  const { command } = step;
  run.progress.stepStarted(step.name);
  const { report, ending } =
    command.kind === 'handler'
      ? await callHandler(run, { step, command, code })
      : await runCommand(run, { step, command, code });
  run.progress.stepFinished(report);
  return ending;
}

interface Try<C extends Command> {
  readonly step: Step;
  readonly command: C;
  readonly code: StepFailureCode;
}

interface Tried {
  readonly report: StepReport;
  readonly ending: Ending | undefined;
}

async function runCommand(
  run: Run,
  { step, command, code }: Try<Exclude<Command, { kind: 'handler' }>>,
): Promise<Tried> {
  const { task, services, secrets, paths, record, runnerId, number } = run;
  const { workspace } = await ensureCheckout(run);
  const processes = await run.processes();
  const facts = { taskId: record.id, runnerId, run: number, workspace: workspace.dir, branch: record.branch };
  const result = await processes.step({
    name: step.name,
    command,
    cwd: workspace.dir,
    env: stepEnv({
      base: services.env,
      taskEnv: task.env,
      secrets,
      runner: { ...facts, socket: await run.socket(), slots: run.slots },
      home: paths.home,
    }),
    ...(step.timeoutMs === undefined ? {} : { timeoutMs: step.timeoutMs }),
    stallTimeoutMs: task.stallTimeoutMs,
    limits: limitsOf(services.config, paths.folder),
    logFile: join(paths.artifacts, 'log.txt'),
    logLimitBytes: services.config.logLimitBytes,
    secrets: Object.values(secrets),
  });
  const { exitCode, durationMs, outputTail } = result;
  const report = { name: step.name, exitCode, durationMs, outputTail: outputTail.slice(-TAIL_CHARACTERS) };
  return { report, ending: judge(step, result, code) };
}

/** What this worker lets a step use; `folder` is the run's. */
function limitsOf({ memoryLimitBytes, processLimit, diskLimitBytes }: Readonly<Config>, folder: string): StepLimits {
  return {
    folder,
    ...(memoryLimitBytes === undefined ? {} : { memoryBytes: memoryLimitBytes }),
    ...(processLimit === undefined ? {} : { processes: processLimit }),
    ...(diskLimitBytes === undefined ? {} : { diskBytes: diskLimitBytes }),
  };
}

function judge(step: Step, result: StepResult, code: StepFailureCode): Ending | undefined {
  const { outcome, exitCode, signal, error } = result;
  switch (outcome) {
    case 'exited':
      if (exitCode === 0) return undefined;
      return failed(
        code,
        `step ${step.name} ${exitCode === null ? `was ended by ${signal}` : `exited with ${exitCode}`}`,
      );
    case 'timeout':
      return failed('timeout', `step ${step.name} took longer than ${step.timeoutMs} ms`);
    case 'stalled':
      return failed('stalled', `step ${step.name} gave no output for too long`);
    case 'limit':
      return failed(code, `step ${step.name} hit a limit: ${error}`);
    case 'not_started':
      return failed(code, `step ${step.name} could not be started: ${error ?? 'no reason given'}`);
    case 'deadline':
      return { kind: 'stopped', why: 'lease_lost' };
    case 'killed':
      // Stopped by the run, whose signal says why; without that, the supervisor died.
      return { kind: 'stopped', why: 'supervisor_died' };
  }
}

/**
 * A handler runs in the worker's own process, so it cannot be killed: it must end soon after its signal aborts, and
 * what it held is not given back before it has. After a lost claim that is no protection: others may have it by then.
 */
async function callHandler(
  run: Run,
  { step, command, code }: Try<Extract<Command, { kind: 'handler' }>>,
): Promise<Tried> {
  const startedAt = performance.now();
  const report = (exitCode: number, output: string): StepReport => ({
    name: step.name,
    exitCode,
    durationMs: Math.round(performance.now() - startedAt),
    outputTail: output.slice(-TAIL_CHARACTERS),
  });
  const handler = run.services.handlers[command.handler];
  if (handler === undefined) {
    const message = `no handler named ${command.handler} in the worker on ${run.services.host}`;
    return { report: report(1, message), ending: failed(code, message) };
  }
  const timeout = step.timeoutMs === undefined ? [] : [AbortSignal.timeout(step.timeoutMs)];
  const signal = timeout.length === 0 ? run.signal : AbortSignal.any([run.signal, ...timeout]);
  try {
    await handler(
      { ...run.task, id: run.record.id },
      {
        signal,
        claim: Object.assign(async (...write: string[]) => await grow(run, { write, read: [] }), run.heldClaim),
        input: command.input,
        workspace: async () => (await ensureCheckout(run)).workspace.dir,
      },
    );
    if (timeout[0]?.aborted === true)
      return {
        report: report(1, ''),
        ending: failed('timeout', `step ${step.name} took longer than ${step.timeoutMs} ms`),
      };
    return { report: report(0, ''), ending: undefined };
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    const message = scrub(text, Object.values(run.secrets));
    return { report: report(1, message), ending: failed(code, `step ${step.name} failed: ${message}`) };
  }
}
