/**
 * Writes how a run goes into the task's record and tells it as events. The run does not wait for the writes; what they
 * answer may stop it: a newer run exists, the task has ended, or a cancel was asked for. What comes within a moment, or
 * while a write is under way, is written together, so that a short task costs few writes.
 */

import type { PhaseReport, RecordFields, StepReport } from '../queue/record.ts';
import type { Ending } from './ending.ts';
import type { PhaseName, Run } from './run.ts';

/** How long progress may be behind in the record: less than anybody can see. */
const WRITE_AFTER_MS = 25;

interface OpenPhase {
  readonly name: PhaseName;
  readonly startedAt: number;
  readonly steps: StepReport[];
}

/** The reporter of one run. */
export class Progress {
  readonly #run: Run;
  readonly #phases: PhaseReport[] = [];
  #open: OpenPhase | undefined;
  #unwritten: Record<string, string | number | null> | undefined;
  #writing = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(run: Run) {
    this.#run = run;
  }

  /** All phases so far; the last one may be running. */
  get phases(): readonly PhaseReport[] {
    return this.#open === undefined ? this.#phases : [...this.#phases, report(this.#open, 'running')];
  }

  /** How many steps have been run. */
  get steps(): number {
    return this.phases.reduce((sum, { steps }) => sum + steps.length, 0);
  }

  /** The run's facts as events name them. */
  get facts(): { readonly taskId: string; readonly runnerId: string; readonly run: number } {
    return { taskId: this.#run.record.id, runnerId: this.#run.runnerId, run: this.#run.number };
  }

  /** The run holds its claim, and its record says so. */
  started(): void {
    const { record, services, startedAt } = this.#run;
    const waitMs = record.startedAt === null ? Math.max(0, startedAt - record.submittedAt) : null;
    services.events.emit({
      type: 'task.started',
      ...this.facts,
      workerId: services.workerId,
      owner: record.owner,
      waitMs,
    });
  }

  /** Writes fields of the record while the task runs. */
  write(fields: RecordFields): void {
    this.#unwritten = { ...this.#unwritten, ...fields };
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      if (!this.#writing) void this.#write();
    }, WRITE_AFTER_MS);
  }

  /** No more is written: what is to be kept is written with the run's end. */
  close(): void {
    clearTimeout(this.#timer);
    this.#unwritten = undefined;
  }

  phaseStarted(name: PhaseName): void {
    this.#open = { name, startedAt: Date.now(), steps: [] };
    this.#run.services.events.emit({ type: 'phase.started', ...this.facts, phase: name });
    this.write({ phases: null });
  }

  stepStarted(step: string): void {
    if (this.#open === undefined) return;
    this.#run.services.events.emit({ type: 'step.started', ...this.facts, phase: this.#open.name, step });
  }

  stepFinished(step: StepReport): void {
    const phase = this.#open;
    if (phase === undefined) return;
    phase.steps.push(step);
    const { name, exitCode, durationMs } = step;
    this.#run.services.events.emit({
      type: 'step.finished',
      ...this.facts,
      phase: phase.name,
      step: name,
      exitCode,
      durationMs,
    });
    this.write({ phases: null });
  }

  phaseFinished(ending: Ending | 'skipped' | undefined): void {
    const phase = this.#open;
    if (phase === undefined) return;
    const done = report(phase, stateOf(ending));
    this.#phases.push(done);
    this.#open = undefined;
    this.#run.services.events.emit({
      type: 'phase.finished',
      ...this.facts,
      phase: phase.name,
      ok: done.state !== 'failed',
      durationMs: done.durationMs ?? 0,
    });
  }

  async #write(): Promise<void> {
    const { record, services } = this.#run;
    this.#writing = true;
    for (let fields = this.#takeUnwritten(); Object.keys(fields).length > 0; fields = this.#takeUnwritten()) {
      const answer = await services.queue.store
        .move(record.id, this.#run.writer, { fields })
        // Redis did not take the write: the lease's deadline decides what follows from that.
        .catch(() => undefined);
      if (answer?.kind === 'superseded' || answer?.kind === 'ended') this.#run.stop('superseded');
      if (answer?.kind === 'ok' && answer.cancel !== undefined) this.#run.cancel(answer.cancel);
    }
    this.#writing = false;
  }

  /** What has come since the last write; the phases as they are now. */
  #takeUnwritten(): RecordFields {
    const fields = this.#unwritten ?? {};
    this.#unwritten = undefined;
    return 'phases' in fields ? { ...fields, phases: JSON.stringify(this.phases) } : fields;
  }
}

function stateOf(ending: Ending | 'skipped' | undefined): PhaseReport['state'] {
  if (ending === 'skipped') return 'skipped';
  return ending === undefined || ending.kind === 'succeeded' ? 'succeeded' : 'failed';
}

function report({ name, startedAt, steps }: OpenPhase, state: PhaseReport['state']): PhaseReport {
  return {
    name,
    state,
    startedAt: new Date(startedAt).toISOString(),
    durationMs: state === 'running' ? null : Date.now() - startedAt,
    steps: [...steps],
  };
}
