/** The metrics of a task at its end, as the log, metrics and subscribers get them. */

import type { PhaseReport, TaskRecord } from '../queue/record.ts';
import type { Outcome } from '../task/states.ts';
import type { SignalboxEvent } from '../telemetry/events.ts';

/** What the record that was read at the pick-up does not know yet. */
export interface Final {
  readonly attempts?: number;
  readonly runs?: number;
  readonly crashes?: number;
  readonly startedAt?: number;
  readonly concurrentRunners?: number | null;
  readonly conflicts?: number;
  readonly phases?: readonly PhaseReport[];
  readonly artifacts?: number;
  readonly commit?: string | null;
  readonly error: string | null;
}

/** The event for a task that has reached its final state. */
export function finishedEvent(record: TaskRecord, outcome: Outcome, final: Final): SignalboxEvent<'task.finished'> {
  const now = Date.now();
  const { phases = record.phases } = final;
  const startedAt = record.startedAt ?? final.startedAt ?? null;
  return {
    type: 'task.finished',
    taskId: record.id,
    ...outcome,
    durationMs: now - record.submittedAt,
    report: {
      waitMs: startedAt === null ? null : startedAt - record.submittedAt,
      blockedMs: record.blockedMs + (record.blockedSince === null ? 0 : (final.startedAt ?? now) - record.blockedSince),
      concurrentRunners: final.concurrentRunners ?? record.concurrentRunners,
      conflicts: final.conflicts ?? record.conflicts.length,
      attempts: final.attempts ?? record.attempts,
      runs: final.runs ?? record.run,
      crashes: final.crashes ?? record.crashes,
      phases: Object.fromEntries(
        phases.map(({ name, durationMs, steps }) => [name, { durationMs, steps: steps.length }]),
      ),
      artifacts: final.artifacts ?? record.artifacts.length,
      commit: final.commit ?? null,
      error: final.error,
    },
  };
}
