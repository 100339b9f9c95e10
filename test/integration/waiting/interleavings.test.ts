/** Everything that users can do and all that can befall a worker, at the same time, in 200 random schedules. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { TaskQueue } from '../../../src/queue/task-queue.ts';
import { canMove, isTerminal } from '../../../src/task/states.ts';
import { Schedule } from '../../support/interleavings/schedule.ts';
import { until } from '../../support/system/until.ts';

const SEEDS = 200;
/** How many are played side by side: most of their time is spent on waiting for leases to lapse. */
const AT_ONCE = 10;
const BATCH = 50;
/** Until the jobs of dead workers have been looked at. */
const REST_MS = 10_000;

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'signalbox-interleavings-'));
});
afterAll(() => {
  rmSync(dir, { recursive: true, force: true });
});

const batches = Array.from({ length: SEEDS / BATCH }, (_, i) => ({ from: i * BATCH + 1, to: (i + 1) * BATCH }));

test.each(batches)(
  'every task comes to one end, by allowed steps, and nothing is left: seeds $from to $to',
  async ({ from, to }) => {
    const seeds = Array.from({ length: to - from + 1 }, (_, i) => from + i);
    const wrongs: string[] = [];
    const play = async (): Promise<void> => {
      for (let seed = seeds.shift(); seed !== undefined; seed = seeds.shift()) wrongs.push(...(await wrongsOf(seed)));
    };
    await Promise.all(Array.from({ length: AT_ONCE }, play));
    expect(wrongs).toEqual([]);
  },
  300_000,
);

/** Plays a schedule; answers what was wrong with it, naming its seed. */
async function wrongsOf(seed: number): Promise<string[]> {
  const schedule = new Schedule(seed, dir);
  const { observer } = schedule;
  try {
    await schedule.play();
    await schedule.drain();
    let remains: string[] = [];
    const isAtRest = async (): Promise<boolean> => (remains = await left(schedule)).length === 0;
    await until('nothing is left', isAtRest, REST_MS).catch(() => observer.wrongs.push(...remains));
    await schedule.stop();
    if (observer.runs === 0) observer.wrongs.push('no task ran');
    observer.wrongs.push(...(await wrongEnds(schedule)));
  } catch (error) {
    observer.wrongs.push(error instanceof Error ? (error.stack ?? error.message) : String(error));
    observer.wrongs.push(...(await unfinished(schedule)));
  } finally {
    await schedule.close();
  }
  return observer.wrongs.map((wrong) => `seed ${seed}: ${wrong}`);
}

async function wrongEnds({ box, accepted }: Schedule): Promise<string[]> {
  const { store } = box.queue;
  const ids = await store.ids();
  const wrongs = [...accepted].filter((id) => !ids.includes(id)).map((id) => `${id} is gone`);
  for (const id of ids) {
    const { state, history } = await box.get(id);
    const states = history.map((entry) => entry.state);
    const isLegal = states.every((to, i) => i === 0 || canMove(states[i - 1] ?? to, to));
    const ends = states.filter((one) => isTerminal(one));
    if (!isLegal || ends.length !== 1 || states.at(-1) !== state)
      wrongs.push(`${id} is ${state}: ${states.join(' → ')}`);
  }
  return wrongs;
}

/** What is in Redis beyond finished tasks, limits and the queue's own counters. */
async function left({ box, hasDeaths }: Schedule): Promise<string[]> {
  const { queue } = box;
  const { redis, keys } = queue;
  const names = (await redis.keys(`${keys.prefix}*`)).map((key) => key.slice(keys.prefix.length));
  const kept = ['task', 'envelope', 'history', 'state', 'tasks', 'finished', 'limits', 'fair', 'meta', 'idempotency'];
  const stay = [...kept, 'metrics', 'metric-owners', 'metric-series'];
  const jobs = names.filter((name) => /^tasks:(?:active|wait|prioritized|paused|delayed|stalled)$/.test(name));
  const others = names.filter((name) => !stay.includes(name.split(':')[0] ?? '') && name !== 'tending');
  const counts = Object.keys(await redis.hgetall(keys.all('fair'))).filter((field) => /^[nf]:/.test(field));
  // Whoever ends a task takes its job away afterwards; a job that outlives that is looked at once more, and ends.
  const harmless = hasDeaths && (await isOfEnded(queue));
  return [...others, ...jobs.filter((name) => !harmless || name !== 'tasks:delayed'), ...counts].map(
    (name) => `${name} is left`,
  );
}

async function isOfEnded({ redis, keys, store }: TaskQueue): Promise<boolean> {
  const ids = await redis.zrange(`${keys.prefix}tasks:delayed`, '0', '-1');
  return (await store.getMany(ids)).every(({ state }) => isTerminal(state));
}

/** The tasks that have not ended, with all that Redis knows of them and of whoever runs them. */
async function unfinished({ box }: Schedule): Promise<string[]> {
  const { redis, keys } = box.queue;
  const views = await Promise.all((await box.queue.store.ids()).map(async (id) => await box.get(id)));
  const open = views.filter(({ state }) => !isTerminal(state));
  return await Promise.all(
    open.map(async ({ id, history, runnerId }) => {
      const states = history.map(({ state, reason }) => `${state} (${reason})`).join(' → ');
      const hashes = [keys.key('task', id), keys.key('ticket', id), keys.key('record', runnerId ?? '')];
      const job = `${keys.prefix}tasks:${id}`;
      const facts = {
        hashes: await Promise.all(hashes.map(async (key) => await redis.hgetall(key))),
        lease: await redis.pttl(keys.key('lease', runnerId ?? '')),
        job: [await redis.hgetall(job), await redis.pttl(`${job}:lock`)],
        active: await redis.lrange(`${keys.prefix}tasks:active`, 0, -1),
      };
      return `${id} ${states} ${JSON.stringify(facts)}`;
    }),
  );
}
