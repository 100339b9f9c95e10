/** What must hold at the end of every system test, whatever it did; checked against the client's own ledger. */

import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import type { TaskView } from '../../../src/index.ts';
import { serversOf } from '../../../src/redis/connect.ts';
import { canMove, isTerminal } from '../../../src/task/states.ts';
import { findCanary } from './canary.ts';
import { claimsMeet } from './claims-meet.ts';
import { processesOf } from './processes.ts';
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
  checkExclusion(world);
  expect(processesOf([...world.ledger.keys()]), 'I5: processes of runs that have ended').toEqual([]);
  for (const dir of world.foreignDirs)
    expect(readdirSync(dir), 'I10: something was left where it must not be').toEqual([]);
  expect(await findCanary(world), 'I9: the value of a secret').toEqual([]);
  expect(world.events('wait.dead_man_fired'), 'a waiting task was woken by nobody').toEqual([]);
  const complaints = world.workers.flatMap((worker) => worker.complaints);
  expect(complaints, 'a worker printed something else than events').toEqual([]);
}

/** I7: no active job, lock, ticket, reservation, record, lease or folder of a run is left. */
async function checkRest(world: World): Promise<void> {
  let left: string[] = [];
  const atRest = async (): Promise<boolean> => {
    left = [...(await keysLeft(world)), ...foldersLeft(world)];
    return left.length === 0;
  };
  await until('the queue is at rest', atRest, 20_000).catch(() => expect(left, 'I7: left at rest').toEqual([]));
}

async function keysLeft({ client }: World): Promise<string[]> {
  const { redis, keys } = client.queue;
  const all = (await Promise.all(serversOf(redis).map(async (one) => await one.keys(`${keys.prefix}*`)))).flat();
  const names = all.map((key) => key.slice(keys.prefix.length));
  const families = ['node', 'record', 'lease', 'ticket', 'line', 'waiter', 'waiting', 'dependents', 'branch'];
  const singles = ['holders', 'merged', 'growing', 'tickets', 'granted', 'unqueued'];
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
    expect(isTerminal(state), `I1: ${id} is ${state}`).toBe(true);
    expect(finishedAt, `I1: ${id} has no end`).not.toBeNull();
    const ends = history.filter((entry) => isTerminal(entry.state));
    expect(ends, `I1, I8: ${id} ended more than once`).toHaveLength(1);
  }
}

/** I8: a terminal state is final, and every step on the way to it is one that the table allows. */
function checkHistory({ id, state, history }: TaskView): void {
  const states = history.map((entry) => entry.state);
  expect(states.at(-1), `I8: the state of ${id} is not the last of its history`).toBe(state);
  const illegal = states.flatMap((to, i) => {
    const from = states[i - 1];
    return from === undefined || canMove(from, to) ? [] : [`${from} → ${to}`];
  });
  expect(illegal, `I8: history of ${id}: ${states.join(' → ')}`).toEqual([]);
}

/** I2: at most one publication a task, and the record names it. A push may land after its worker died, so any run's. */
function checkPublications({ remotes }: World, tasks: readonly TaskView[]): void {
  const published = remotes.flatMap((remote) => remote.published());
  for (const task of tasks) {
    const own = published.filter(({ taskId }) => taskId === task.id);
    const runs = new Set(own.map(({ run }) => run));
    expect([...runs], `I2: ${task.id} was published by several runs`).toHaveLength(Math.min(runs.size, 1));
    if (task.commit === null) {
      expect(own, `I2: ${task.id} is ${task.state}, without a commit, and was published`).toEqual([]);
    } else {
      expect(runs.size, `I2: ${task.id} was published`).toBe(1);
      expect(own.map(({ oid }) => oid)).toContain(task.commit);
    }
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
  expect(overlaps, 'I4: overlapping claims at the same moment').toEqual([]);
}
