import { deadlineIn } from './clock.ts';
import { endLeftovers } from './leftovers.ts';
import type { Request, StepOptions, StepResult } from './protocol.ts';
import type { Reply } from './replies.ts';

/** The processes of one run, seen from the worker. No method throws, also after the supervisor's death. */
export interface SupervisedRun {
  /** Runs a step, one at a time. Resolves when it is over and nothing of it lives. */
  step(opts: StepOptions): Promise<StepResult>;
  /** Feeds the run: it now dies `deadlineMs` from now. Does not revive a run whose deadline has passed. */
  extend(deadlineMs: number): void;
  /** Kills everything of the run at once; resolves at its confirmed death. Later steps are answered `killed`. */
  kill(reason: string): Promise<void>;
  /** Ends the run and kills what is left of it; resolves at its confirmed death. */
  close(): Promise<void>;
}

/** Sends a request and waits for what comes of it. */
export type Ask = (request: Request) => Promise<Reply>;

/**
 * A run whose work is done by the supervisor as long as that lives. Once it has gone, the run's processes die with it
 * where the system allows; the worker then looks for what is left by itself, so that death is confirmed all the same.
 */
export class ClientRun implements SupervisedRun {
  readonly #runId: string;
  readonly #ask: Ask;
  #pid: number | undefined;

  constructor(runId: string, ask: Ask) {
    this.#runId = runId;
    this.#ask = ask;
  }

  /** The supervisor has started a step in this process group. */
  started(pid: number): void {
    this.#pid = pid;
  }

  async step(step: StepOptions): Promise<StepResult> {
    const startedAt = new Date();
    const startMs = performance.now();
    const reply = await this.#ask({ do: 'step', runId: this.#runId, step });
    if ('result' in reply && reply.result !== undefined) return reply.result;
    await this.#killByOurselves();
    return {
      outcome: 'killed',
      exitCode: null,
      signal: null,
      startedAt: startedAt.toISOString(),
      durationMs: Math.round(performance.now() - startMs),
      outputTail: '',
      logBytes: 0,
      truncated: false,
      droppedBytes: 0,
      error: `the supervisor of the step has gone: ${'gone' in reply ? reply.gone : 'it gave no result'}`,
    };
  }

  extend(deadlineMs: number): void {
    void this.#ask({ do: 'extend', runId: this.#runId, deadline: deadlineIn(deadlineMs) });
  }

  async kill(reason: string): Promise<void> {
    const reply = await this.#ask({ do: 'kill', runId: this.#runId, reason });
    if ('gone' in reply) await this.#killByOurselves();
  }

  async close(): Promise<void> {
    const reply = await this.#ask({ do: 'close', runId: this.#runId });
    if ('gone' in reply) await this.#killByOurselves();
  }

  #killByOurselves(): Promise<void> {
    return endLeftovers([this.#runId], this.#pid);
  }
}
