/** Take: from a job in the queue to a valid task, or to a reason not to run it. */

import { SignalboxError } from '../errors.ts';
import { JOB_VERSION } from '../queue/bull.ts';
import type { Disposition, TakenJob } from '../queue/consumer.ts';
import type { TaskRecord } from '../queue/record.ts';
import type { TaskStore, Writer } from '../queue/store.ts';
import { reasonOf, type TaskQueue } from '../queue/task-queue.ts';
import { parseEnvelope, STORED_VERSION, storedVersion, versionOf } from '../task/stored.ts';
import type { Task } from '../task/task.ts';
import { taskBelow } from './base.ts';
import { checkRecord } from './check-record.ts';
import { endWithoutRun } from './last-word.ts';
import { leaveToNewer } from './newer-task.ts';
import { finishedEvent } from './report.ts';
import type { Services } from './services.ts';

/** A task that is to be run. */
export interface Taken {
  readonly kind: 'task';
  readonly task: Task;
  readonly record: TaskRecord;
  /** Of the worker's lock on its job. */
  readonly token: string;
  /** Whether one more death of its worker would set it aside. */
  readonly suspect: boolean;
  /** Whether its job's far date woke it while it was still in line. */
  readonly cameByItself: boolean;
}

/** A job that is not to be run, and what becomes of it. */
export interface NotTaken {
  readonly kind: 'disposed';
  readonly disposition: Disposition;
}

const ENDED: NotTaken = { kind: 'disposed', disposition: { kind: 'ended' } };

/** Reads and checks the task of a job. A forged or damaged one is set aside with its reason; the worker lives on. */
export async function take({ id, data, token }: TakenJob, services: Services): Promise<Taken | NotTaken> {
  const { queue } = services;
  const picked = await queue.store.pickUp(id);
  if (picked.kind !== 'ok') {
    return picked.kind === 'ended' ? ENDED : setAside(id, `no task ${JSON.stringify(id)} was submitted`, services);
  }
  const { record } = picked;
  const writer: Writer = { by: 'pickup', number: record.pickup };
  if (record.cancelRequested !== undefined) {
    const outcome = { state: 'cancelled', code: record.cancelRequested } as const;
    const finished = await endWithoutRun(
      record,
      { writer, outcome, reason: reasonOf(record.cancelRequested) },
      services,
    );
    // Refused while an earlier run still holds its claim: that run is told, or this pick-up waits for its end.
    if (finished.kind === 'ok') return ENDED;
  }
  const version = Math.max(storedVersion(record.envelope) ?? 0, versionOf(data) ?? 0);
  if (version > STORED_VERSION) return { kind: 'disposed', disposition: await leaveToNewer(record, version, services) };
  const task = await readTask(record, data, queue.store);
  if (task instanceof SignalboxError) {
    const reason = task.message;
    const outcome = { state: 'failed', code: 'invalid' } as const;
    await queue.finish(id, writer, { outcome, reason, fields: { error: reason } });
    services.events.emit(finishedEvent(record, outcome, { error: reason }));
    return setAside(id, reason, services);
  }
  const deaths = record.crashes + (record.open ? 1 : 0);
  return {
    kind: 'task',
    task,
    record,
    token,
    suspect: deaths >= Math.max(1, record.maxAttempts - 1),
    cameByItself: await cameByItself(record, task, queue),
  };
}

/** The task of a record, or why it is none. */
async function readTask(record: TaskRecord, data: unknown, store: TaskStore): Promise<Task | SignalboxError> {
  try {
    checkVersion(data);
    store.signer?.check(record);
    const task = parseEnvelope(record.envelope);
    checkRecord(record);
    await taskBelow(record, store);
    return task;
  } catch (error) {
    if (error instanceof SignalboxError) return error;
    throw error;
  }
}

/** Whether a task has been waiting for longer than it wants to, from the first time it was blocked. */
export function waitedTooLong(blockedAt: number | null, waitTimeoutMs: number | undefined): boolean {
  return blockedAt !== null && waitTimeoutMs !== undefined && Date.now() >= blockedAt + waitTimeoutMs;
}

/** Whether a parked job came back by its far date, still in line: nobody has woken it yet. */
async function cameByItself(record: TaskRecord, task: Task, queue: TaskQueue): Promise<boolean> {
  const { state, parkedUntil, blockedAt, id } = record;
  if (state !== 'blocked' || parkedUntil === null || Date.now() < parkedUntil) return false;
  return !waitedTooLong(blockedAt, task.waitTimeoutMs) && (await queue.line.look(id)) === 'waiting';
}

function setAside(jobId: string, reason: string, { events }: Services): NotTaken {
  events.emit({ type: 'job.set_aside', jobId, reason });
  return { kind: 'disposed', disposition: { kind: 'ended', error: `invalid: ${reason}` } };
}

function checkVersion(data: unknown): void {
  if (versionOf(data) === JOB_VERSION) return;
  const given = typeof data === 'object' && data !== null && 'v' in data ? data.v : undefined;
  throw new SignalboxError(
    'INVALID',
    `the job has version ${JSON.stringify(given)}, and this worker reads version ${JOB_VERSION}`,
    { next: 'Submit the task again.' },
  );
}
