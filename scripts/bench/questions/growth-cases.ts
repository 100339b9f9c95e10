/** What a no-op task costs in a queue of some size: one function for each thing that grows. */

import { once } from 'node:events';
import { Signalbox } from '../../../src/client/signalbox.ts';
import type { Bench } from '../bench.ts';
import type { FaultList } from '../faults.ts';
import type { Fleet } from '../fleet.ts';
import type { SystemName } from '../systems/all.ts';
import { REPO } from '../systems/signalbox.ts';
import type { Trial } from '../trial.ts';
import { type BenchTask, disjoint, queueing } from '../workload.ts';

/** What one task costs. */
export interface TaskCost {
  readonly redisUs: number;
  readonly workerUs: number;
  readonly wallUs: number;
}

/** What it is measured with. */
export interface Means {
  readonly bench: Bench;
  readonly fleet: Fleet;
  readonly faults: FaultList;
}

/** How many tasks are measured at each size. */
const PROBES = 800;
/** How many paths are claimed at each number of paths a claim, at least by so many tasks. */
const PATHS = { total: 20_000, tasks: 30, mostTasks: 800 };

/** With `size` more tasks queued at the end of the measurement. */
export async function backlog({ bench, fleet, faults }: Means, size: number): Promise<TaskCost> {
  await using trial = await fleet.trial('signalbox');
  const probes = bench.amount(PROBES, 200);
  await trial.add(disjoint(size + probes));
  await trial.start();
  return await costOf(trial, { faults, count: probes });
}

/** With `size` tasks in line on a branch that is held. */
export async function blockedElsewhere({ bench, fleet, faults }: Means, size: number): Promise<TaskCost> {
  await using trial = await fleet.trial('signalbox');
  await using box = await openBox(trial);
  return await box.hold({ repo: REPO, branch: 'one' }, async () => {
    await trial.add(queueing(size, { firstMs: 0, ms: 0 }));
    await trial.start();
    await trial.until(async () => (await box.queue.store.counts()).blocked === size);
    await trial.producer.pause();
    await trial.add(disjoint(bench.amount(PROBES, 200)));
    await trial.start();
    return await costOf(trial, { faults, count: bench.amount(PROBES, 200) });
  });
}

/** With `size` files held, each by a holder of its own. */
export async function heldElsewhere({ bench, fleet, faults }: Means, size: number): Promise<TaskCost> {
  await using trial = await fleet.trial('signalbox');
  // Hardly anything is renewed meanwhile: what is measured is that they are there.
  await using box = await openBox(trial, { leaseTtl: '10m' });
  const leave = new AbortController();
  const left = once(leave.signal, 'abort');
  const held: Promise<unknown>[] = [];
  for (let i = 0; i < size; i += 1) {
    const claims = { repo: REPO, write: [`held/part-${i % 20}/file-${i}.ts`] };
    await new Promise<void>((taken) => {
      const hold = box.hold(claims, async () => {
        taken();
        await left;
      });
      held.push(hold);
    });
  }
  try {
    await trial.add(disjoint(bench.amount(PROBES, 200)));
    await trial.start();
    return await costOf(trial, { faults, count: bench.amount(PROBES, 200) });
  } finally {
    leave.abort();
    await Promise.all(held);
  }
}

/** With `size` files a claim, each `depth` names from the top. */
export function paths(depth: number): (means: Means, size: number) => Promise<TaskCost> {
  return async ({ bench, fleet, faults }, size) => {
    await using trial = await fleet.trial('signalbox');
    const wanted = Math.max(PATHS.tasks, Math.min(PATHS.mostTasks, Math.round(PATHS.total / size)));
    const count = bench.amount(wanted, 30);
    const folders = Array.from({ length: depth - 2 }, (_, level) => `level-${level}/`).join('');
    const tasks: BenchTask[] = Array.from({ length: count }, (_, i) => ({
      branch: `work-${i}`,
      files: Array.from({ length: size }, (__, k) => `part-${i}/${folders}file-${k}.ts`),
      ms: 0,
    }));
    await trial.add(tasks);
    await trial.start();
    return await costOf(trial, { faults, count });
  };
}

/** On `size` processes with so many slots together. */
export function workers(system: SystemName, slots: number): (means: Means, size: number) => Promise<TaskCost> {
  return async ({ bench, fleet, faults }, size) => {
    await using trial = await fleet.trial(system, { workers: size, concurrency: slots / size });
    const count = bench.amount(PROBES, 200);
    await trial.add(disjoint(count));
    await trial.start();
    return await costOf(trial, { faults, count });
  };
}

async function openBox({ place }: Trial, options: { readonly leaseTtl?: string } = {}): Promise<Signalbox> {
  return await Signalbox.connect({ redisUrl: place.redisUrl, queue: place.queue, ...options });
}

/** Waits for `count` tasks, and shares out what was spent among those that have ended by then. */
async function costOf(
  trial: Trial,
  { faults, count }: { readonly faults: FaultList; readonly count: number },
): Promise<TaskCost> {
  await trial.ended(count);
  const [cost, ended] = await Promise.all([trial.cost(), trial.producer.finished()]);
  faults.note(await trial.stop());
  const each = (spent: number): number => spent / ended;
  return { redisUs: each(cost.cpuUs), workerUs: each(cost.workerCpuUs), wallUs: each(1_000 * cost.wallMs) };
}
