/** The three measurements. Each gives its figures; none judges them, but for what must never happen. */

import type { Fleet, RunResult } from './fleet.ts';
import { CONCURRENCY, WORKERS } from './fleet.ts';
import { idealMakespan } from './ideal.ts';
import { gaps, percentile, type Spread, spread } from './stats.ts';
import { SYSTEMS, type SystemName } from './systems/all.ts';
import { type BenchTask, contended, disjoint, queueing } from './workload.ts';

/** How much is measured. */
export interface Amount {
  /** How often each measurement is repeated. */
  readonly runs: number;
  readonly seed: number;
  readonly say: (line: string) => void;
}

/** What must not happen: two at it at once, or a waiter that nobody woke. */
export interface Faults {
  readonly overlaps: readonly string[];
  readonly deadManFired: number;
}

/** Makespan over that of the ideal, at one degree of contention. */
export interface ContentionFigures {
  readonly zipf: number;
  readonly idealMs: Spread;
  readonly ratio: Readonly<Record<'signalbox' | 'bullmqWithRedlock', Spread>>;
  /** How often a task of Signalbox's had to wait for another. */
  readonly blocked: Spread;
}

/** A measurement with what went wrong in it. */
export interface Measured<T> extends Faults {
  readonly figures: T;
}

/** The contended workload, but for how contended it is. */
export const CONTENTION = { tasks: 400, branches: 100, files: 400, meanMs: 60 };
const DEGREES = [0, 0.5, 0.8, 1.1];

/** 400 tasks on 16 slots at four degrees of contention, Signalbox and the textbook way by turns. */
export async function contention(fleet: Fleet, { runs, seed, say }: Amount): Promise<Measured<ContentionFigures[]>> {
  const faults = new FaultList();
  const figures: ContentionFigures[] = [];
  await warmUp(fleet);
  for (const zipf of DEGREES) {
    const ideal: number[] = [];
    const ratios = { signalbox: [] as number[], bullmqWithRedlock: [] as number[] };
    const blocked: number[] = [];
    for (let run = 0; run < runs; run += 1) {
      const tasks = contended({ ...CONTENTION, zipf, seed: seed + run });
      ideal.push(idealMakespan(tasks, WORKERS * CONCURRENCY));
      for (const system of ['signalbox', 'bullmqWithRedlock'] as const) {
        const result = faults.note(await fleet.run(system, tasks));
        ratios[system].push(result.makespanMs / (ideal.at(-1) ?? 1));
        if (system === 'signalbox') blocked.push(result.blocked);
      }
      say(
        `contention ${zipf}, run ${run + 1} of ${runs}: ${last(ratios.signalbox)}, baseline ${last(ratios.bullmqWithRedlock)}`,
      );
    }
    const ratio = { signalbox: spread(ratios.signalbox), bullmqWithRedlock: spread(ratios.bullmqWithRedlock) };
    figures.push({ zipf, idealMs: spread(ideal), ratio, blocked: spread(blocked) });
  }
  return { figures, ...faults.all };
}

/** A fleet has been running for a while: its code is compiled and Redis knows the scripts. */
export async function warmUp(fleet: Fleet): Promise<void> {
  for (const system of ['signalbox', 'bullmqWithRedlock'] as const) {
    await fleet.run(system, disjoint(1_000));
    await fleet.run(system, contended({ ...CONTENTION, tasks: 200, meanMs: 20, zipf: 0.8, seed: 0 }));
  }
}

/** Tasks a second that do nothing and share nothing. */
export type ThroughputFigures = Readonly<Record<SystemName, Spread>>;

const NOTHING_TO_DO: Readonly<Record<SystemName, number>> = {
  signalbox: 1_500,
  bullmqWithRedlock: 6_000,
  bullmqAlone: 15_000,
};

/** How many tasks a second pass through each system, when none waits for another. */
export async function throughput(fleet: Fleet, { runs, say }: Amount): Promise<Measured<ThroughputFigures>> {
  const faults = new FaultList();
  const names = Object.keys(SYSTEMS) as SystemName[];
  const rates = Object.fromEntries(names.map((name) => [name, [] as number[]])) as Record<SystemName, number[]>;
  for (let run = 0; run < runs; run += 1) {
    for (const name of names) {
      const tasks = disjoint(NOTHING_TO_DO[name]);
      const { makespanMs } = faults.note(await fleet.run(name, tasks));
      rates[name].push((tasks.length / makespanMs) * 1_000);
    }
    say(
      `throughput, run ${run + 1} of ${runs}: ${names.map((name) => `${name} ${Math.round(rates[name].at(-1) ?? 0)}/s`).join(', ')}`,
    );
  }
  const figures = Object.fromEntries(names.map((name) => [name, spread(rates[name])])) as Record<SystemName, Spread>;
  return { figures, ...faults.all };
}

/** From the end of one task's step to the start of the next one's, in ms, both on one branch. */
export interface HandOverFigures {
  readonly medianMs: Spread;
  readonly p99Ms: Spread;
  /** The same with BullMQ whose workers retry redlock. */
  readonly baseline: { readonly medianMs: Spread; readonly p99Ms: Spread };
}

const IN_LINE = { tasks: 200, firstMs: 2_500, ms: 2 };

/** How long a branch lies idle between two of those who wait for it: 200 at first, so 100 on average. */
export async function handOver(fleet: Fleet, { runs, say }: Amount): Promise<Measured<HandOverFigures>> {
  const faults = new FaultList();
  const seen = {
    signalbox: { medians: [] as number[], p99s: [] as number[] },
    bullmqWithRedlock: { medians: [] as number[], p99s: [] as number[] },
  };
  for (let run = 0; run < runs; run += 1) {
    for (const name of ['signalbox', 'bullmqWithRedlock'] as const) {
      const tasks: BenchTask[] = queueing(IN_LINE.tasks, IN_LINE);
      const { notes } = faults.note(await fleet.run(name, tasks));
      const idle = gaps(notes);
      const { medians, p99s } = seen[name];
      medians.push(percentile(idle, 0.5));
      p99s.push(percentile(idle, 0.99));
      say(`hand-over, ${name}, run ${run + 1} of ${runs}: median ${last(medians)} ms, p99 ${last(p99s)} ms`);
    }
  }
  const figuresOf = ({ medians, p99s }: { readonly medians: number[]; readonly p99s: number[] }) => ({
    medianMs: spread(medians),
    p99Ms: spread(p99s),
  });
  return { figures: { ...figuresOf(seen.signalbox), baseline: figuresOf(seen.bullmqWithRedlock) }, ...faults.all };
}

/** What went wrong in the runs of a measurement. */
export class FaultList {
  readonly #overlaps: string[] = [];
  #deadManFired = 0;

  note(result: RunResult): RunResult {
    this.#overlaps.push(...result.overlaps);
    this.#deadManFired += result.deadManFired;
    return result;
  }

  get all(): Faults {
    return { overlaps: this.#overlaps, deadManFired: this.#deadManFired };
  }
}

function last(values: readonly number[]): string {
  return (values.at(-1) ?? Number.NaN).toFixed(2);
}
