/** Claim: takes all that a task must hold, or files it in line. No work has been done when a conflict is found. */

import type { Acquired } from '../claims/answers.ts';
import { Claim } from '../claims/claim.ts';
import { branchNode, type ClaimNode, type ClaimSpec, claimSet, isExplicit, resourceOf } from '../claims/claim-set.ts';
import type { ClaimRequest } from '../claims/locker.ts';
import type { RunRequest } from '../claims/run-request.ts';
import { SignalboxError } from '../errors.ts';
import { DEAD_MAN_MS, type Disposition } from '../queue/consumer.ts';
import { type CancelCode, type ConflictReport, cancelOf, type TaskRecord } from '../queue/record.ts';
import type { Move, Writer } from '../queue/store.ts';
import type { TaskQueue } from '../queue/task-queue.ts';
import { newRunnerId } from '../task/ids.ts';
import type { Outcome } from '../task/states.ts';
import type { Task } from '../task/task.ts';
import type { Events } from '../telemetry/events.ts';
import { classOf } from '../waiting/rank.ts';
import { baseOf } from './base.ts';
import { endWithoutRun } from './last-word.ts';
import type { Services } from './services.ts';
import { type NotTaken, type Taken, waitedTooLong } from './take.ts';

/** A task whose claim is held. */
export interface Claimed {
  readonly kind: 'held';
  readonly claim: Claim;
  readonly runnerId: string;
  readonly run: number;
  /** How many runners there are in the fleet now, this one included. */
  readonly concurrentRunners: number;
  readonly spec: ClaimSpec;
  /** The numbers of its slots by resource. */
  readonly slots: Readonly<Record<string, number>>;
  /** How the task shall end, if somebody asked for its cancel before it ran. */
  readonly cancel: CancelCode | undefined;
}

/** After a claim could not even be asked for. */
const ASK_AGAIN_MS = 500;

/** Asks for the task's claim. */
export async function claimTask(taken: Taken, services: Services): Promise<Claimed | NotTaken> {
  const { task, record } = taken;
  const { queue, clock, config, events } = services;
  const runnerId = newRunnerId();
  const spec = claimSpec(task, record);
  const nodes = claimSet(spec);
  const timedOut = waitedTooLong(record.blockedAt, task.waitTimeoutMs);
  const request: ClaimRequest = {
    holder: runnerId,
    kind: 'run',
    ticket: record.id,
    task: record.id,
    worker: services.workerId,
    age: record.sequence,
    rank: record.rank,
    class: classOf(task.priority),
    policy: task.onConflict,
    isLastTry: timedOut,
    exempt: await ownBranches(record, queue),
    nodes,
    run: runRequest(taken, services.host),
  };
  const sentAt = clock();
  const acquired = await queue.locker.acquire(request);
  switch (acquired.kind) {
    case 'held': {
      const claim = new Claim({ locker: queue.locker, lock: acquired.lock, timings: config, sentAt, clock });
      const { run, crashes, holders, slots, handOverMs } = acquired;
      const killer = crashes >= record.maxAttempts && record.alone;
      if (killer) return await setAsideCrashed(taken, { claim, runnerId, run, crashes }, services);
      reportHeld({ runnerId, run, nodes, handOverMs }, taken, events);
      const beside = acquired.beside.map(([obstacle, blocker]) => conflictAt(nodes, obstacle, blocker));
      for (const conflict of beside)
        events.emit({ type: 'claim.proceeded', taskId: record.id, policy: task.onConflict, ...besides(conflict) });
      const cancel = cancelOf(acquired.cancel ?? undefined);
      return { kind: 'held', claim, spec, runnerId, run, concurrentRunners: holders, slots, cancel };
    }
    case 'unknown':
      return disposed({ kind: 'later', atMs: Date.now() + ASK_AGAIN_MS });
    case 'unconfirmed':
      return disposed(await tryAgain(taken, acquired, services));
    case 'stale':
    case 'ended':
      return disposed({ kind: 'ended' });
    case 'blocked':
      // What its submitter could not do any more because it died.
      if (task.onConflict === 'supersede' && task.branch !== undefined) {
        await queue.supersede(record.id, { branchNode: branchNode(record.repoKey, record.branch), dependsOn: [] });
      }
      reportBlocked({ taken, acquired, nodes }, services);
      return disposed({ kind: 'parked' });
    case 'conflict':
      return disposed(await refuse({ taken, acquired, nodes }, { timedOut, services }));
  }
}

/** All that a task must hold: what it declares, what it turned out to need in earlier runs, and what counts it. */
function claimSpec(task: Task, record: TaskRecord): ClaimSpec {
  const { write, read, resources } = task.claims;
  return {
    repoKey: record.repoKey,
    branch: record.branch,
    write: [...write, ...record.grown],
    read,
    resources,
    owner: record.owner,
    spec: record.spec ?? undefined,
  };
}

/** The branches whose paths, kept for a merge, are not in its way: its own and the one it builds upon. See `ClaimRequest`. */
async function ownBranches(record: TaskRecord, queue: TaskQueue): Promise<string[]> {
  const base = await baseOf(record, queue.store).catch((error: unknown) => {
    // `prepare` says that the task it builds upon is gone, and ends it.
    if (error instanceof SignalboxError) return undefined;
    throw error;
  });
  return [branchNode(record.repoKey, ''), record.branch, ...(base === undefined ? [] : [base.name])];
}

interface Held {
  readonly claim: Claim;
  readonly runnerId: string;
  readonly run: number;
  readonly crashes: number;
}

interface HeldFacts {
  readonly runnerId: string;
  readonly run: number;
  readonly nodes: readonly ClaimNode[];
  readonly handOverMs: number | null;
}

function reportHeld(
  { runnerId, run, nodes, handOverMs }: HeldFacts,
  { record: { id, blockedSince }, cameByItself }: Taken,
  events: Events,
): void {
  const resources = nodes.filter(isExplicit).length;
  // It could have everything, and nobody had told it: a wake-up was lost.
  if (cameByItself) events.emit({ type: 'wait.dead_man_fired', taskId: id });
  events.emit({ type: 'claim.acquired', taskId: id, runnerId, run, resources, handOverMs });
  if (blockedSince !== null) events.emit({ type: 'task.granted', taskId: id, waitedMs: Date.now() - blockedSince });
}

interface Blocked {
  readonly taken: Taken;
  readonly acquired: Extract<Acquired, { obstacle: string }>;
  readonly nodes: readonly ClaimNode[];
}

function runRequest(taken: Taken, host: string): RunRequest {
  const dates = { parkUntil: parkedUntil(taken), deadMan: Date.now() + DEAD_MAN_MS };
  return { host, alone: taken.suspect, token: taken.token, ...dates };
}

/** Until when the job of a task that must wait sleeps if nobody wakes it: no longer than the task wants to wait. */
function parkedUntil({ record, task }: Taken): number {
  const now = Date.now();
  const { waitTimeoutMs = Number.POSITIVE_INFINITY } = task;
  return Math.min(now + DEAD_MAN_MS, Math.max((record.blockedAt ?? now) + waitTimeoutMs, now));
}

/** The ticket is filed, the record says so, and the job sleeps: the script has done it all. */
function reportBlocked(blocked: Blocked, { events }: Services): void {
  const { record, task } = blocked.taken;
  // Behind its own earlier run it is not blocked by anybody: that run is dead or about to end.
  if (blocked.acquired.kind === 'blocked' && blocked.acquired.own) return;
  const facts = refusedBy(conflictOf(blocked));
  events.emit({ type: 'task.blocked', taskId: record.id, policy: task.onConflict, ...facts });
}

/** The queue's Redis admitted it and the lock servers did not agree: what blocks them ends within a lease, or is mended. */
async function tryAgain(
  { record }: Taken,
  { pickup, reason }: Extract<Acquired, { kind: 'unconfirmed' }>,
  services: Services,
): Promise<Disposition> {
  const { queue, events, config } = services;
  events.emit({ type: 'claim.unconfirmed', taskId: record.id, reason });
  const move: Move = { to: 'scheduled', reason: `its claim could not be confirmed (${reason})` };
  await queue.store.move(record.id, { by: 'pickup', number: pickup }, move);
  return { kind: 'later', atMs: Date.now() + config.renewEveryMs };
}

/** The task does not want to wait, or has waited long enough. */
async function refuse(
  blocked: Blocked,
  { timedOut, services }: { readonly timedOut: boolean; readonly services: Services },
): Promise<Disposition> {
  const { record } = blocked.taken;
  const conflict = conflictOf(blocked);
  const skips = blocked.taken.task.onConflict === 'skip' && !timedOut;
  const code = timedOut ? 'wait_timeout' : 'conflict';
  const error = `${conflict.resource} is held${conflict.holderTaskId === null ? '' : ` by ${conflict.holderTaskId}`}`;
  const policy = blocked.taken.task.onConflict;
  services.events.emit({ type: 'claim.conflict', taskId: record.id, policy, ...refusedBy(conflict) });
  const outcome: Outcome = skips ? { state: 'skipped', code: 'conflict' } : { state: 'failed', code };
  const writer: Writer = { by: 'pickup', number: blocked.acquired.pickup };
  const fields = { error };
  const final = { conflicts: record.conflicts.length + 1, error };
  const ended = await endWithoutRun(record, { writer, outcome, reason: error, fields, final }, services);
  if (ended.kind === 'ok' && ended.outcome.state === 'succeeded') return { kind: 'ended' };
  return { kind: 'ended', error: `${code}: ${error}` };
}

async function setAsideCrashed(
  { record }: Taken,
  { claim, runnerId, run, crashes }: Held,
  services: Services,
): Promise<NotTaken> {
  const error = `its worker died ${crashes} times while it ran, the last time with nothing else in it`;
  const outcome = { state: 'failed', code: 'crashed' } as const;
  const writer: Writer = { by: 'run', number: run, runnerId };
  const end = { writer, outcome, reason: error, fields: { error }, final: { crashes, error } };
  try {
    const ended = await endWithoutRun(record, end, services);
    if (ended.kind === 'ok' && ended.outcome.state === 'succeeded') return disposed({ kind: 'ended' });
  } finally {
    await claim.release();
  }
  return disposed({ kind: 'ended', error: `crashed: ${error}` });
}

function conflictOf({ acquired, nodes }: Blocked): ConflictReport {
  return conflictAt(nodes, acquired.obstacle, acquired.blocker);
}

function conflictAt(nodes: readonly ClaimNode[], obstacle: string, blocker: string): ConflictReport {
  const node = nodes.find(({ name }) => name === obstacle);
  return {
    // While the queue is paused no task may have the last thing that it needs.
    resource: node === undefined ? 'paused' : resourceOf(node),
    holderTaskId: blocker === '' ? null : blocker,
    at: new Date().toISOString(),
  };
}

function besides({ resource, holderTaskId }: ConflictReport): { resource: string; holderTaskId: string } {
  return { resource, holderTaskId: holderTaskId ?? '' };
}

function refusedBy({ resource, holderTaskId }: ConflictReport): { resource: string; holderTaskId?: string } {
  return holderTaskId === null ? { resource } : { resource, holderTaskId };
}

function disposed(disposition: Disposition): NotTaken {
  return { kind: 'disposed', disposition };
}
