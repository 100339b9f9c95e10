/** What must hold at the end of every system test, whatever it did; checked against the client's own ledger. */

import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { TaskView } from '../../../src/index.ts';
import { serversOf } from '../../../src/redis/connect.ts';
import { canMove, isTerminal } from '../../../src/task/states.ts';
import { findCanary } from './canary.ts';
import { claimsMeet } from './claims-meet.ts';
import { checkLedgers, strangeRefs } from './ledgers.ts';
import { none, same } from './must.ts';
import { processesOf } from './processes.ts';
import { checkCounts, checkRecovery } from './recovery.ts';
import { meetings } from './stamps.ts';
import { until } from './until.ts';
import type { World } from './world-core.ts';

/** Checks all of them. Every task of the ledger has ended; the workers may still be there, idle. */
export async function checkInvariants(world: World): Promise<void> {
  await checkRest(world);
  const tasks = await Promise.all([...world.ledger.keys()].map((id) => world.client.get(id)));
  checkEnds(tasks);
  for (const task of tasks) checkHistory(task);
  checkPublications(world, tasks);
  checkLedgers(world, tasks);
  checkExclusion(world);
  checkRecovery(world);
  checkCounts(world, tasks);
  none(processesOf([...world.ledger.keys()]), 'I5: processes of runs that have ended');
  for (const dir of world.foreignDirs) none(readdirSync(dir), `I10: something was left in ${dir}`);
  for (const remote of world.remotes) none(strangeRefs(remote), `I10: something was left in ${remote.dir}`);
  none(await findCanary(world), 'I9: the value of a secret');
  none(world.events('wait.dead_man_fired'), 'a waiting task was woken by nobody');
  const complaints = world.workers.flatMap((worker) => worker.complaints);
  none(complaints, 'a worker printed something else than events');
}

/** I7: no active job, lock, ticket, reservation, record, lease or folder of a run is left: it waits for that. */
export async function checkRest(world: World): Promise<void> {
  let left: string[] = [];
  const atRest = async (): Promise<boolean> => {
    left = [...(await keysLeft(world)), ...foldersLeft(world)];
    return left.length === 0;
  };
  await until('the queue is at rest', atRest, 20_000).catch(() => none(left, 'I7: left at rest'));
}

async function keysLeft({ client }: World): Promise<string[]> {
  const { redis, keys } = client.queue;
  const all = (await Promise.all(serversOf(redis).map(async (one) => await one.keys(`${keys.prefix}*`)))).flat();
  const names = all.map((key) => key.slice(keys.prefix.length));
  const families = ['node', 'record', 'lease', 'ticket', 'line', 'waiter', 'waiting', 'wanted', 'dependents'];
  const singles = ['held', 'holding', 'holders', 'merged', 'growing', 'tickets', 'granted', 'unqueued', 'branches'];
  const jobs = ['active', 'wait', 'prioritized', 'delayed', 'paused'].map((list) => `tasks:${list}`);
  return names.filter(
    (name) =>
      families.includes(name.split(':')[0] ?? '') ||
      singles.includes(name) ||
      jobs.includes(name) ||
      /^tasks:.*:lock$/.test(name),
  );
}

function foldersLeft({ dataDir }: World): string[] {
  const path = join(dataDir, 'runs');
  return namesIn(path).map((name) => join(path, name));
}

function namesIn(path: string): string[] {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}

/** I1: each acknowledged submission has come to exactly one end. */
function checkEnds(tasks: readonly TaskView[]): void {
  for (const { id, state, history, finishedAt } of tasks) {
    if (!isTerminal(state) || finishedAt === null) none([{ state, finishedAt }], `I1: ${id} has not ended`);
    const ends = history.filter((entry) => isTerminal(entry.state));
    same(ends.length, 1, `I1, I8: how often ${id} ended`);
  }
}

/** I8: a terminal state is final, and every step on the way to it is one that the table allows. */
function checkHistory({ id, state, history }: TaskView): void {
  const states = history.map((entry) => entry.state);
  same(states.at(-1), state, `I8: the last of the history of ${id}`);
  const illegal = states.flatMap((to, i) => {
    const from = states[i - 1];
    return from === undefined || canMove(from, to) ? [] : [`${from} → ${to}`];
  });
  none(illegal, `I8: history of ${id}: ${states.join(' → ')}`);
}

/** I2: at most one publication a task, and the record names it. A push may land after its worker died, so any run's. */
function checkPublications({ remotes }: World, tasks: readonly TaskView[]): void {
  const published = remotes.flatMap((remote) => remote.published());
  for (const task of tasks) {
    const own = published.filter(({ taskId }) => taskId === task.id);
    const runs = new Set(own.map(({ run }) => run));
    if (runs.size > 1) none(own, `I2: ${task.id} was published by several runs`);
    if (task.commit === null) none(own, `I2: ${task.id} is ${task.state}, without a commit, and was published`);
    else if (!own.some(({ oid }) => oid === task.commit))
      none([own], `I2: ${task.id} is not published as ${task.commit}`);
  }
}

/** I4: no two tasks whose claims overlap were at work at the same moment, by what their steps wrote down. */
function checkExclusion({ stamps, ledger }: World): void {
  const overlaps = meetings(stamps.intervals()).filter(([a, b]) => {
    if (a.taskId === b.taskId) return true;
    // Whoever proceeds has asked for it.
    if ([a, b].some(({ taskId }) => ledger.get(taskId)?.onConflict === 'proceed')) return false;
    return claimsMeet(ledger.get(a.taskId), ledger.get(b.taskId));
  });
  none(overlaps, 'I4: overlapping claims at the same moment');
}
