/**
 * The spans of runs, made from events: one for each run, under it its phases and their steps; beside it the wait before
 * the first start, and what the task was blocked for. All hang on the submission if that was traced, so that one trace
 * tells a task's whole story.
 */

import { type Attributes, type Context, ROOT_CONTEXT, type Span, SpanStatusCode, trace } from '@opentelemetry/api';
import { contextFrom, isTracing, TRACER } from '../queue/tracing.ts';
import type { Events, StampedEvent } from '../telemetry/events.ts';
import type { Run } from './run.ts';

/** Makes spans of a worker's runs from now on, if there is somewhere for them to go. */
export function traceRuns(events: Events, runs: ReadonlyMap<string, Run>): void {
  if (!isTracing()) return;
  const tracer = new RunTracer(runs);
  events.on('task.granted', (event) => tracer.granted(event));
  events.on('task.started', (event) => tracer.started(event));
  events.on('phase.started', ({ runnerId, phase }) => tracer.of(runnerId)?.open(`phase ${phase}`));
  events.on('phase.finished', ({ runnerId, ok }) => tracer.of(runnerId)?.close(ok));
  events.on('step.started', ({ runnerId, step }) => tracer.of(runnerId)?.open('step', { 'signalbox.step': step }));
  events.on('step.finished', ({ runnerId, exitCode }) =>
    tracer.of(runnerId)?.close(exitCode === 0, exitCode === null ? {} : { 'process.exit.code': exitCode }),
  );
  events.on('task.retrying', ({ runnerId, code }) => tracer.of(runnerId)?.ends('retrying', code));
  events.on('fence.refused', ({ runnerId }) => tracer.of(runnerId)?.ends('refused'));
  events.on('task.requeued', ({ taskId, why }) => tracer.ofTask(taskId)?.ends('requeued', why));
  events.on('task.finished', ({ taskId, state, code }) => tracer.ofTask(taskId)?.ends(state, code ?? undefined));
  events.on('run.ended', ({ runnerId }) => tracer.ended(runnerId));
}

class RunTracer {
  readonly #tracer = trace.getTracer(TRACER);
  readonly #runs: ReadonlyMap<string, Run>;
  readonly #traced = new Map<string, TracedRun>();
  /** How long those tasks were blocked that are about to start. */
  readonly #blockedMs = new Map<string, number>();

  constructor(runs: ReadonlyMap<string, Run>) {
    this.#runs = runs;
  }

  of(runnerId: string): TracedRun | undefined {
    return this.#traced.get(runnerId);
  }

  ofTask(taskId: string): TracedRun | undefined {
    const run = this.#runs.get(taskId);
    return run === undefined ? undefined : this.of(run.runnerId);
  }

  /** Comes before the start, when there is no run yet. */
  granted({ taskId, waitedMs }: StampedEvent<'task.granted'>): void {
    this.#blockedMs.set(taskId, waitedMs);
  }

  started({ taskId, runnerId, run: number, workerId, owner, waitMs }: StampedEvent<'task.started'>): void {
    const run = this.#runs.get(taskId);
    if (run === undefined) return;
    const { repoKey, branch, traceparent } = run.record;
    const attributes = {
      'signalbox.task.id': taskId,
      'signalbox.run': number,
      'signalbox.runner.id': runnerId,
      'signalbox.worker.id': workerId,
      'signalbox.owner': owner,
      'signalbox.repo': repoKey,
      'signalbox.branch': branch,
    };
    const now = run.startedAt;
    const past = (name: string, ms: number, under: Context): Context => {
      const span = this.#tracer.startSpan(name, { attributes, startTime: now - ms }, under);
      span.end(now);
      return trace.setSpan(ROOT_CONTEXT, span);
    };
    const submission = contextFrom(traceparent);
    const waited = waitMs === null ? undefined : past('signalbox.wait', waitMs, submission ?? ROOT_CONTEXT);
    const parent = submission ?? waited ?? ROOT_CONTEXT;
    const blockedMs = this.#blockedMs.get(taskId);
    this.#blockedMs.delete(taskId);
    if (blockedMs !== undefined) past('signalbox.blocked', blockedMs, waited ?? parent);
    const span = this.#tracer.startSpan('signalbox.run', { attributes, startTime: now }, parent);
    this.#traced.set(runnerId, new TracedRun(span));
  }

  ended(runnerId: string): void {
    this.of(runnerId)?.end();
    this.#traced.delete(runnerId);
  }
}

const GOOD_ENDS = ['succeeded', 'skipped', 'cancelled', 'requeued'];

/** A run's span with what is open under it: a phase, and in it a step. */
class TracedRun {
  readonly #tracer = trace.getTracer(TRACER);
  readonly #open: Span[];

  constructor(span: Span) {
    this.#open = [span];
  }

  open(name: string, attributes: Attributes = {}): void {
    const parent = this.#open.at(-1);
    if (parent === undefined) return;
    this.#open.push(this.#tracer.startSpan(name, { attributes }, trace.setSpan(ROOT_CONTEXT, parent)));
  }

  close(ok: boolean, attributes: Attributes = {}): void {
    const span = this.#open.length > 1 ? this.#open.pop() : undefined;
    span?.setAttributes(attributes);
    if (!ok) span?.setStatus({ code: SpanStatusCode.ERROR });
    span?.end();
  }

  /** How the run ends, which is told before it has ended. */
  ends(outcome: string, code?: string): void {
    const [run] = this.#open;
    run?.setAttributes({ 'signalbox.outcome': outcome, ...(code === undefined ? {} : { 'signalbox.code': code }) });
    if (!GOOD_ENDS.includes(outcome)) run?.setStatus({ code: SpanStatusCode.ERROR, message: code ?? outcome });
  }

  end(): void {
    // A step that was stopped has no end of its own.
    while (this.#open.length > 1) this.close(false);
    this.#open.pop()?.end();
  }
}
