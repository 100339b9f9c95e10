/** Settle: from a run's end to the task's next state, and the claim given back. */

import type { Disposition } from '../queue/consumer.ts';
import type { RecordFields } from '../queue/record.ts';
import type { Move } from '../queue/store.ts';
import { reasonOf } from '../queue/task-queue.ts';
import { insist } from '../redis/refusal.ts';
import type { Outcome } from '../task/states.ts';
import type { RequeueReason } from '../telemetry/events.ts';
import type { Ending, StopReason } from './ending.ts';
import { lastWord, PUBLISHED, UNKNOWN } from './last-word.ts';
import { finishedEvent } from './report.ts';
import type { Run } from './run.ts';

/** After so many the whole repository is claimed: then there is nothing more to need. */
const MAX_YIELDS = 3;
const WHOLE = '**';

/** Backoff between charged attempts: 5 s, doubling, at most 5 minutes. */
function backoffMs(attempts: number): number {
  return Math.min(5_000 * 2 ** Math.max(0, attempts - 1), 300_000);
}

const REQUEUED: Readonly<Record<RequeueReason, string>> = {
  lease_lost: 'the run lost its lease and stopped; not charged',
  drain: 'its worker was stopped; not charged',
  cut_off: 'the remote takes nothing more from this run, since a newer one has its ledger; not charged',
  supervisor_died: 'the process that watches over its steps died; not charged',
  preempted: 'it made way for a task of a higher priority; not charged',
  yielded: 'it needs what an older task holds, and gave up what it held; not charged',
};

/**
 * Writes what the ending means for the task and gives the claim back, in this order on one connection, so that nobody
 * who is served sees the task still running. Answers what becomes of the job. While Redis takes no writes it tries on:
 * a newer run of the task, if there is one by then, is what refuses a write that comes too late.
 */
export async function settle(run: Run, ending: Ending): Promise<Disposition> {
  run.progress.close();
  switch (ending.kind) {
    case 'succeeded':
      return await finish(run, { state: 'succeeded', code: null }, 'all phases succeeded');
    case 'failed': {
      const attempts = run.record.attempts + 1;
      if (ending.retry && attempts < run.record.maxAttempts) return await retryLater(run, ending);
      return await finish(run, { state: 'failed', code: ending.code }, ending.message);
    }
    case 'stopped':
      // What the remote has accepted stays so: running it again would publish it twice.
      if (run.published !== null && ending.why !== 'superseded') {
        return await finish(run, { state: 'succeeded', code: null }, 'published before it was stopped');
      }
      return await stopped(run, ending.why);
  }
}

function isRequeue(why: StopReason): why is RequeueReason {
  return why in REQUEUED;
}

async function stopped(run: Run, why: StopReason): Promise<Disposition> {
  if (why === 'cancelled') return await cancelled(run);
  if (why === 'timeout') {
    const message = `the run took longer than ${run.task.timeoutMs} ms`;
    return await settle(run, { kind: 'failed', code: 'timeout', message, retry: true });
  }
  if (!isRequeue(why)) {
    // A newer run exists, or the task has ended: nothing of this run counts any more.
    run.services.events.emit({
      type: 'fence.refused',
      ...run.progress.facts,
      reason: 'a newer run exists or the task has ended',
    });
    await run.release();
    await run.services.queue.store.survived(run.record.id, run.number);
    return { kind: 'ended' };
  }
  const reason = REQUEUED[why];
  if (why === 'lease_lost') {
    run.services.events.emit({
      type: 'lease.lost',
      runnerId: run.runnerId,
      taskId: run.record.id,
      reason: lossOf(run),
    });
  }
  run.services.events.emit({ type: 'task.requeued', taskId: run.record.id, reason, why, state: 'queued' });
  return await goBack(run, {
    move: { to: 'queued', reason, fields: { ...kept(run), ...forNextRun(run, why) } },
    atMs: Date.now(),
  });
}

/** A run that was cancelled before it had its own token cannot vouch for the run before it. */
async function cancelled(run: Run): Promise<Disposition> {
  const word = run.fence === undefined ? await lastWord(run.record, run.services) : undefined;
  if (word?.kind === 'published') {
    run.published = word.commit;
    return await finish(run, { state: 'succeeded', code: null }, PUBLISHED);
  }
  const reason = `${reasonOf(run.cancelCode)}${word?.kind === 'unknown' ? UNKNOWN : ''}`;
  return await finish(run, { state: 'cancelled', code: run.cancelCode }, reason);
}

async function retryLater(run: Run, { code, message }: Extract<Ending, { kind: 'failed' }>): Promise<Disposition> {
  const attempts = run.record.attempts + 1;
  const delayMs = backoffMs(attempts);
  run.services.events.emit({ type: 'task.retrying', ...run.progress.facts, code, delayMs });
  const reason = `attempt ${attempts} of ${run.record.maxAttempts} failed (${code}); again in ${Math.round(delayMs / 1_000)} s`;
  const fields = { ...kept(run), attempts, error: `${code}: ${message}` };
  return await goBack(run, { move: { to: 'scheduled', reason, fields }, atMs: Date.now() + delayMs });
}

async function goBack(run: Run, { move, atMs }: { readonly move: Move; readonly atMs: number }): Promise<Disposition> {
  const [moved] = await Promise.all([
    insist(async () => await run.services.queue.store.move(run.record.id, run.writer, move)),
    run.release(),
  ]);
  if (moved.kind === 'ok' && moved.cancel !== undefined) {
    const outcome: Outcome = { state: 'cancelled', code: moved.cancel };
    await run.services.queue.finish(run.record.id, { by: 'any' }, { outcome, reason: reasonOf(moved.cancel) });
    run.services.events.emit(finishedEvent(run.record, outcome, { runs: run.number, error: null }));
    return { kind: 'ended' };
  }
  if (moved.kind === 'ok') return { kind: 'later', atMs };
  await run.services.queue.store.survived(run.record.id, run.number);
  return { kind: 'ended' };
}

async function finish(run: Run, outcome: Outcome, reason: string): Promise<Disposition> {
  const { record, services, number } = run;
  // What has landed is merged already.
  run.keepsPaths =
    outcome.state === 'succeeded' &&
    run.published !== null &&
    run.task.claims.until === 'merged' &&
    run.task.publish === 'push';
  const error = outcome.state === 'succeeded' ? null : reason;
  const attempts = record.attempts + (outcome.state === 'cancelled' ? 0 : 1);
  const fields = { ...kept(run), attempts, commit: run.published, error, resume: null };
  const finished = await run.endTask({ outcome, reason, fields });
  if (finished.kind === 'ok') {
    if (run.keepsPaths) services.events.emit({ type: 'claim.kept', ...run.progress.facts });
    const { startedAt, progress, artifacts, published, concurrentRunners } = run;
    const { phases } = progress;
    const made = { attempts, runs: number, startedAt, concurrentRunners, phases, artifacts: artifacts.length };
    services.events.emit(finishedEvent(record, outcome, { ...made, commit: published, error }));
  }
  return error === null ? { kind: 'ended' } : { kind: 'ended', error: `${outcome.code}: ${error}` };
}

/** What the next run must know of this one. */
function forNextRun(run: Run, why: StopReason): RecordFields {
  if (why === 'preempted') return { preemptedRun: run.number };
  if (why !== 'yielded') return {};
  const yields = run.record.yields + 1;
  const grown = yields > MAX_YIELDS ? [WHOLE] : run.grown;
  const patch = run.artifacts.find(({ kind }) => kind === 'patch')?.path;
  return { yields, grown: JSON.stringify(grown), resume: run.isImplemented && patch !== undefined ? patch : null };
}

/** What the record keeps of a run. The workspace is gone by the time anybody can look. */
function kept(run: Run): RecordFields {
  return {
    phases: JSON.stringify(run.progress.phases),
    // Published by an earlier run: that one has noted what it changed.
    ...(run.published !== null && run.result.commit === null
      ? {}
      : { filesChanged: JSON.stringify(run.result.filesChanged) }),
    artifacts: JSON.stringify(run.artifacts),
  };
}

function lossOf({ claim }: Run): string {
  return claim.signal.reason instanceof Error ? claim.signal.reason.message : 'the claim was lost';
}
