/** Invariants I6 and I12: what is recovered, how fast, and only where something was done to a worker. */

import { timings } from '../../../src/config/timings.ts';
import type { TaskView } from '../../../src/index.ts';
import { parseDuration } from '../../../src/task/duration.ts';
import { none, same } from './must.ts';
import type { LoggedEvent, WorkerProcess } from './worker-process.ts';
import type { World } from './world-core.ts';

/** On top of the formula, for a busy machine. */
const SLACK_MS = 15_000;
/** With a shorter lease a busy machine may be too slow for it, with no other fault. */
const SURE_LEASE_MS = 10_000;

/** What a dead worker held is freed in the time of the formula, while there is somebody to do it. */
export function checkRecovery(world: World): void {
  const { recoveryMs, leaseTtlMs } = timings(parseDuration(world.leaseTtl) ?? 0);
  const reaped = world.events('claim.reaped');
  if (isDisturbed(world)) return;
  const isUnharmed = !world.workers.some(({ isHarmed }) => isHarmed);
  if (isUnharmed && leaseTtlMs >= SURE_LEASE_MS) none(reaped, 'I6: recovered, although nothing was done to any worker');
  const late = world.workers.flatMap((victim) =>
    heldAtDeath(victim).flatMap((runnerId) => {
      const freed = reaped.find((event) => event['runnerId'] === runnerId);
      if (freed === undefined || victim.killedAt === undefined) return [];
      // It counts from the last moment at which there was nobody else who could do it.
      const begins = Math.max(victim.killedAt, watchedSince(world.workers, victim, timeOf(freed)));
      const tookMs = timeOf(freed) - begins;
      return tookMs > recoveryMs + SLACK_MS ? [{ runnerId, tookMs }] : [];
    }),
  );
  none(late, `I6: freed later than ${recoveryMs} ms and ${SLACK_MS} ms of patience after the death of its worker`);
}

/** The counts of a task's record against what was done to the workers and what they have said. */
export function checkCounts(world: World, tasks: readonly TaskView[]): void {
  none(
    tasks.filter(({ attempts, runs }) => attempts > runs).map(({ id, attempts, runs }) => ({ id, attempts, runs })),
    'I12: more attempts than runs',
  );
  if (isDisturbed(world)) return;
  const harmed = world.workers.filter(({ isHarmed }) => isHarmed).length;
  const crashed = tasks.filter(({ crashes }) => crashes > harmed).map(({ id, crashes }) => ({ id, crashes, harmed }));
  none(crashed, 'I12: more crashes than workers that were killed or stopped');
  // What dead workers did not live to say is missing in their logs.
  if (harmed === 0) for (const task of tasks) checkCountsOf(task, world);
}

function checkCountsOf({ id, state, code, attempts, runs }: TaskView, world: World): void {
  const count = (type: string): number => world.events(type).filter(({ taskId }) => taskId === id).length;
  const [started, retried] = [count('task.started'), count('task.retrying')];
  if (started === 0) return;
  if (code !== 'crashed') same(runs, started, `I12: the runs of ${id}`);
  // One that ends while it waits for its next try has had no further attempt.
  const ended = (state === 'succeeded' || state === 'failed') && started > retried ? 1 : 0;
  same(attempts, retried + ended, `I12: the attempts of ${id}, ${state}`);
}

/** Whether more was done than to kill and to stop workers. */
function isDisturbed(world: World): boolean {
  return world.redis !== undefined || world.hasLostLeases;
}

/** The runners whose claims a worker held when it died, as far as it had said so. */
function heldAtDeath(worker: WorkerProcess): unknown[] {
  if (worker.killedAt === undefined) return [];
  const released = new Set(worker.events('claim.released').map(({ runnerId }) => runnerId));
  return worker
    .events('claim.acquired')
    .map(({ runnerId }) => runnerId)
    .filter((runnerId) => !released.has(runnerId));
}

/** Since when, without a break until `until`, there was a worker that lived and did not stand still. */
function watchedSince(workers: readonly WorkerProcess[], victim: WorkerProcess, until: number): number {
  const since = workers
    .filter((worker) => worker !== victim && worker.events('worker.started').length > 0)
    .filter(({ killedAt }) => killedAt === undefined || killedAt >= until)
    .filter(({ freezes }) => freezes.every(({ to }) => to !== undefined))
    .map((worker) => Math.max(timeOf(worker.events('worker.started')[0]), ...worker.freezes.map(({ to = 0 }) => to)))
    .filter((from) => from <= until);
  return since.length === 0 ? until : Math.min(...since);
}

/** When an event was reported, in ms since 1970. */
function timeOf(event: LoggedEvent | undefined): number {
  return Date.parse(String(event?.['time']));
}
