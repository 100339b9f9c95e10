/** Take: from a job in the queue to a valid task, or to a reason not to run it. */

import { SignalboxError } from '../errors.ts';
import { JOB_VERSION } from '../queue/bull.ts';
import type { Disposition, TakenJob } from '../queue/consumer.ts';
import type { TaskRecord } from '../queue/record.ts';
import type { TaskStore, Writer } from '../queue/store.ts';
import { reasonOf, type TaskQueue } from '../queue/task-queue.ts';
import { parseEnvelope, storedVersion, versionOf } from '../task/stored.ts';
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
  const found = await queue.store.find(id);
  if (found.kind !== 'ok') {
    return found.kind === 'ended' ? ENDED : setAside(id, `no task ${JSON.stringify(id)} was submitted`, services);
  }
  const { record } = found;
  // Refused while an earlier run still holds its claim: that run is told, or this pick-up waits for its end.
  if (record.cancelRequested !== undefined && (await endCancelled(id, services))) return ENDED;
  const task = await readTask(record, data, queue.store);
  if (task instanceof SignalboxError) {
    const { code, message } = task;
    return await (code === 'UNSUPPORTED' ? leave(id, data, services) : failInvalid(id, message, services));
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

/** Carries out a cancel that was asked for; false if an earlier run has to. */
async function endCancelled(id: string, services: Services): Promise<boolean> {
  const picked = await services.queue.store.pickUp(id);
  if (picked.kind !== 'ok') return true;
  const { record } = picked;
  const code = record.cancelRequested ?? 'cancelled';
  const outcome = { state: 'cancelled', code } as const;
  const end = { writer: writerOf(record), outcome, reason: reasonOf(code) };
  return (await endWithoutRun(record, end, services)).kind === 'ok';
}

async function leave(id: string, data: unknown, services: Services): Promise<NotTaken> {
  const picked = await services.queue.store.pickUp(id);
  if (picked.kind !== 'ok') return ENDED;
  const { record } = picked;
  const version = Math.max(storedVersion(record.envelope) ?? 0, versionOf(data) ?? 0);
  return { kind: 'disposed', disposition: await leaveToNewer(record, version, services) };
}

async function failInvalid(id: string, reason: string, services: Services): Promise<NotTaken> {
  const picked = await services.queue.store.pickUp(id);
  if (picked.kind !== 'ok') return ENDED;
  const { record } = picked;
  const outcome = { state: 'failed', code: 'invalid' } as const;
  await services.queue.finish(id, writerOf(record), { outcome, reason, fields: { error: reason } });
  services.events.emit(finishedEvent(record, outcome, { error: reason }));
  return setAside(id, reason, services);
}

function writerOf(record: TaskRecord): Writer {
  return { by: 'pickup', number: record.pickup };
}

/** The task of a record, or why it is none. `UNSUPPORTED`: a newer version can read it. */
async function readTask(record: TaskRecord, data: unknown, store: TaskStore): Promise<Task | SignalboxError> {
  try {
    checkVersion(data);
    // Before its signature is checked: a newer version may sign more.
    const task = parseEnvelope(record.envelope);
    store.signer?.check(record);
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
  const version = versionOf(data);
  if (version === JOB_VERSION) return;
  const given = typeof data === 'object' && data !== null && 'v' in data ? data.v : undefined;
  throw new SignalboxError(
    version !== undefined && version > JOB_VERSION ? 'UNSUPPORTED' : 'INVALID',
    `the job has version ${JSON.stringify(given)}, and this worker reads version ${JOB_VERSION}`,
    { next: 'Submit the task again.' },
  );
}
