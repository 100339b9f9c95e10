/** Memory: what a task takes in Redis in each state, and whether a worker keeps anything of the tasks that it ran. */

import { Signalbox } from '../../../src/client/signalbox.ts';
import type { TaskInput } from '../../../src/task/schema.ts';
import type { Bench } from '../bench.ts';
import { FaultList } from '../faults.ts';
import type { Fleet } from '../fleet.ts';
import { atMost, type Question } from '../question.ts';
import { memoryOf } from '../readings.ts';
import { type Spread, shown, spread } from '../stats.ts';
import { REPO } from '../systems/signalbox.ts';
import type { Trial } from '../trial.ts';
import { disjoint } from '../workload.ts';

const STATES = ['queued', 'blocked', 'running', 'finished'] as const;
type State = (typeof STATES)[number];

/** How many tasks there are in each state; running ones each need a slot. */
const COUNTS: Readonly<Record<State, number>> = { queued: 2_000, blocked: 2_000, running: 300, finished: 1_000 };
/** As many are in that state before: scripts, streams of events and metrics are there once, however many tasks there are. */
const FIRST = 50;
const RUNS: Readonly<Record<State, number>> = { queued: 2, blocked: 1, running: 1, finished: 2 };
/** How many no-op tasks one worker runs while its memory is looked at, and how often that is. */
const ENDURED = { tasks: 10_000, looks: 4 };

/** Tasks as large as the one in the README, by the bytes that Redis says its data take. */
export const memory: Question = {
  name: 'memory',
  asks: 'How much memory does a task take in Redis in each state, and does a worker grow as it runs more of them?',
  run: async (bench) => {
    await using fleet = await bench.fleet(['signalbox']);
    const faults = new FaultList();
    const bytes: { state: State; each: Spread }[] = [];
    for (const state of STATES) {
      const seen: number[] = [];
      for (let run = 0; run < bench.repeats(RUNS[state]); run += 1)
        seen.push(await bytesOf(state, { bench, fleet, faults }));
      bytes.push({ state, each: spread(seen) });
      bench.say(`${state}: ${Math.round(bytes.at(-1)?.each.median ?? 0)} bytes of Redis a task`);
    }
    const resident = await endure({ bench, fleet, faults });
    const each = (state: State): number => bytes.find((one) => one.state === state)?.each.median ?? Number.NaN;
    return {
      figures: { bytes, resident },
      tables: [
        {
          title: 'Bytes of Redis a task of the README’s size',
          head: ['state', 'tasks', 'runs', 'bytes a task'],
          rows: bytes.map((one) => [one.state, countOf(bench, one.state), one.each.count, shown(one.each)]),
          notes: [
            'The difference of `used_memory`, without the buffers of clients, to the same queue with 50 tasks; an ended task’s history is in it.',
          ],
        },
        {
          title: 'Resident memory of a worker, as it runs no-op tasks; once',
          head: ['tasks', 'MiB'],
          rows: resident.map(({ tasks, rssBytes }) => [tasks, (rssBytes / 2 ** 20).toFixed(1)]),
        },
      ],
      plots: [
        {
          title: 'Resident memory of a worker',
          kind: 'line',
          x: { name: 'tasks', scale: 'linear' },
          y: { name: 'MiB', scale: 'linear' },
          series: [
            { name: 'RSS', points: resident.map(({ tasks, rssBytes }) => [tasks, rssBytes / 2 ** 20] as const) },
          ],
        },
      ],
      targets: [
        atMost(3, 'memory: a queued task of the README’s size', { value: each('queued') / 1_024, unit: 'KiB' }),
        atMost(4, 'memory: a blocked one', { value: each('blocked') / 1_024, unit: 'KiB' }),
      ],
      faults: faults.all,
    };
  },
};

interface Means {
  readonly bench: Bench;
  readonly fleet: Fleet;
  readonly faults: FaultList;
}

function countOf(bench: Bench, state: State): number {
  return bench.amount(COUNTS[state], 100);
}

/** Brings a queue's tasks into a state, and says by how many bytes each made its Redis larger. */
async function bytesOf(state: State, { bench, fleet, faults }: Means): Promise<number> {
  const count = countOf(bench, state);
  const concurrency = state === 'running' ? Math.ceil((FIRST + count) / 2) : 8;
  await using trial = await fleet.trial('signalbox', { concurrency });
  await using box = await Signalbox.connect({ redisUrl: trial.place.redisUrl, queue: trial.place.queue });
  const tasks = Array.from({ length: FIRST + count }, (_, i) => readmeTask(i, state));
  const reached = async (name: 'queued' | 'blocked' | 'running' | 'succeeded'): Promise<number> => {
    const all = async (number: number): Promise<number> => {
      await trial.until(async () => (await box.queue.store.counts())[name] === number);
      return await memoryOf(fleet.redis);
    };
    if (name !== 'queued') await trial.start();
    await submit(box, tasks.slice(0, FIRST));
    const before = await all(FIRST);
    await submit(box, tasks.slice(FIRST));
    return ((await all(FIRST + count)) - before) / count;
  };
  const bytes = await {
    queued: async () => await reached('queued'),
    blocked: async () => await box.hold({ repo: REPO, branch: 'one' }, async () => await reached('blocked')),
    running: async () => await reached('running'),
    finished: async () => await reached('succeeded'),
  }[state]();
  await endRuns(trial, box);
  faults.note(await trial.stop());
  return bytes;
}

/** Waits for what runs, so that workers can be closed. */
async function endRuns(trial: Trial, box: Signalbox): Promise<void> {
  // Else those that wait begin now.
  await trial.producer.pause();
  await trial.until(async () => (await box.queue.store.counts()).running === 0);
}

async function submit(box: Signalbox, tasks: readonly TaskInput[]): Promise<void> {
  for (let from = 0; from < tasks.length; from += 500) await box.submit(tasks.slice(from, from + 500));
}

/** How long a running task works: until all others run, and have been looked at. */
const HELD_MS = 8_000;

/**
 * The README's task, but that its commands are a handler with an input as long as they are: so that it can run without
 * a repository. Blocked ones want one branch.
 */
function readmeTask(i: number, state: State): TaskInput {
  const commands =
    'install npm ci 5m 2 | claude Add rate limiting to the login endpoint | npm test | codemod --fix | run name timeout retries agent prompt shell';
  return {
    title: 'Rate-limit the login',
    repo: REPO,
    base: 'main',
    branch: state === 'blocked' ? 'one' : `task/login-rate-limit-${i}`,
    claims: {
      write: [`src/auth-${i}/**`, `package-${i}.json`],
      read: [`src/db/schema-${i}.ts`],
      undeclared: 'claim',
    },
    implement: [{ name: 'work', handler: 'work', input: { task: i, ms: state === 'running' ? HELD_MS : 0, commands } }],
    publish: 'push',
    onConflict: 'wait',
    waitTimeout: '2h',
    timeout: '30m',
    attempts: 3,
    priority: 'normal',
    env: { CI: '1' },
  };
}

/** How large a worker is as it runs many tasks: before, in between and after. */
async function endure({ bench, fleet, faults }: Means): Promise<{ tasks: number; rssBytes: number }[]> {
  await using trial = await fleet.trial('signalbox', { workers: 1 });
  const all = bench.amount(ENDURED.tasks, 1_000);
  await trial.add(disjoint(all));
  const seen = [{ tasks: 0, rssBytes: await trial.rssBytes() }];
  await trial.start();
  for (let look = 1; look <= ENDURED.looks; look += 1) {
    const tasks = (all * look) / ENDURED.looks;
    await trial.ended(tasks);
    seen.push({ tasks, rssBytes: await trial.rssBytes() });
    bench.say(`${tasks} tasks: ${((seen.at(-1)?.rssBytes ?? 0) / 2 ** 20).toFixed(1)} MiB`);
  }
  faults.note(await trial.stop());
  return seen;
}
