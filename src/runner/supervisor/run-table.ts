import { type Deadline, hasPassed } from './clock.ts';
import type { Answer, NumberedRequest, StepOptions, StepResult } from './protocol.ts';
import { Step, type StepEnd, type StepHost } from './step.ts';

/** How often deadlines are looked at. A run outlives its deadline by this much and the time that killing takes. */
const LOOK_MS = 50;

/**
 * One run: *open*, until it is killed, its deadline passes, or it is closed; then *over*, for ever. While it is open it
 * has one step at a time; once it is over a step is answered with the reason instead of being started.
 */
class Run {
  deadline: Deadline;
  #over: StepEnd | undefined;
  #step: Step | undefined;
  #stepEnded: Promise<unknown> = Promise.resolve();

  constructor(deadline: Deadline) {
    this.deadline = deadline;
  }

  async step(step: Step, onStart: (pid: number) => void): Promise<StepResult> {
    if (this.#step !== undefined) step.end({ outcome: 'killed', error: 'another step of this run is still running' });
    else if (this.#over !== undefined) step.end(this.#over);
    else this.#step = step;
    const ended = step.run(onStart);
    if (this.#step !== step) return ended;
    this.#stepEnded = ended;
    return ended.finally(() => {
      this.#step = undefined;
    });
  }

  /** Ends the run; resolves when nothing of it lives. */
  async end(reason: StepEnd): Promise<void> {
    this.#over ??= reason;
    this.#step?.end(this.#over);
    await this.#stepEnded;
  }

  get isOpen(): boolean {
    return this.#over === undefined;
  }
}

/**
 * All runs of one supervisor: does what the worker asks, and kills by itself what the worker stops feeding. Knows
 * nothing of the process it lives in; `answer` carries its words away.
 */
export class RunTable {
  readonly #host: StepHost;
  readonly #answer: (answer: Answer) => void;
  readonly #runs = new Map<string, Run>();
  readonly #look: NodeJS.Timeout;

  constructor(host: StepHost, answer: (answer: Answer) => void) {
    this.#host = host;
    this.#answer = answer;
    this.#look = setInterval(() => this.#endOverdue(), LOOK_MS);
  }

  /** Does what is asked; tells `seen` at once and `done` when it is the case. */
  async handle(request: NumberedRequest): Promise<void> {
    const { id } = request;
    this.#answer({ say: 'seen', id });
    const result = await this.#do(request);
    this.#answer({ say: 'done', id, ...(result === undefined ? {} : { result }) });
  }

  /** Kills every run; resolves when nothing of them lives. */
  async stop(reason: string): Promise<void> {
    clearInterval(this.#look);
    await Promise.all([...this.#runs.values()].map((run) => run.end({ outcome: 'killed', error: reason })));
  }

  #do(request: NumberedRequest): Promise<StepResult | void> | void {
    switch (request.do) {
      case 'open':
        return this.#open(request.runId, request.deadline);
      case 'extend':
        return this.#extend(request.runId, request.deadline);
      case 'step':
        return this.#step(request.runId, request.step);
      case 'kill':
        return this.#runs.get(request.runId)?.end({ outcome: 'killed', error: request.reason });
      case 'close':
        return this.#close(request.runId);
      case 'stop':
        return this.stop('the worker stopped its supervisor');
    }
  }

  #open(runId: string, deadline: Deadline): void {
    // Ids are unique, but if one is not, the older run must not go on where nobody can reach it.
    void this.#runs.get(runId)?.end({ outcome: 'killed', error: 'another run was opened with the same id' });
    this.#runs.set(runId, new Run(deadline));
  }

  #extend(runId: string, deadline: Deadline): void {
    // A feed that comes too late, however it was delayed, must not revive what should be dead.
    this.#endOverdue();
    const run = this.#runs.get(runId);
    if (run !== undefined) run.deadline = deadline;
  }

  #step(runId: string, options: StepOptions): Promise<StepResult> {
    this.#endOverdue();
    const step = new Step(runId, options, this.#host);
    const run = this.#runs.get(runId) ?? new Run({ monotonicMs: 0, bootMs: 0 });
    if (!this.#runs.has(runId)) step.end({ outcome: 'killed', error: 'the run is closed' });
    return run.step(step, (pid) => this.#answer({ say: 'started', runId, pid }));
  }

  async #close(runId: string): Promise<void> {
    await this.#runs.get(runId)?.end({ outcome: 'killed', error: 'the run was closed' });
    this.#runs.delete(runId);
  }

  #endOverdue(): void {
    for (const run of this.#runs.values()) {
      if (run.isOpen && hasPassed(run.deadline)) {
        void run.end({ outcome: 'deadline', error: 'the deadline of the run passed without a new one' });
      }
    }
  }
}
