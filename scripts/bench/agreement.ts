/** Whether the simulator says what really happens: the contended workload, run and simulated. */

import { simulate } from '../../src/waiting/simulation.ts';
import { fromBench } from '../simulate/lists.ts';
import type { Fleet } from './fleet.ts';
import { CONCURRENCY, WORKERS } from './fleet.ts';
import { type Amount, CONTENTION, FaultList, handOver, type Measured, warmUp } from './measure.ts';
import { type Note, type Spread, spread } from './stats.ts';
import { type BenchTask, contended } from './workload.ts';

/** How far a real run is from its simulation, at one degree of contention. */
export interface AgreementFigures {
  readonly zipf: number;
  readonly realMs: Spread;
  readonly simulatedMs: Spread;
  /** What a hand-over took in the run of its own that was measured right before; it is added to each duration. */
  readonly handOverMs: number;
  /** The real makespan over the simulated one. */
  readonly makespanRatio: Spread;
  /** By how many places of a hundred a task started earlier or later than simulated, on average. */
  readonly displacement: Spread;
}

const DEGREES = [0.5, 0.8, 1.1];
const KEEP_AFTER_MS = 60_000;

/**
 * Runs the contended workload and simulates it, with the durations that its steps really had and the time that a
 * hand-over takes, measured on another workload: a simulation knows neither the machine nor the network.
 */
export async function agreement(fleet: Fleet, { runs, seed, say }: Amount): Promise<Measured<AgreementFigures[]>> {
  const faults = new FaultList();
  const figures: AgreementFigures[] = [];
  await warmUp(fleet);
  const handOvers = await handOver(fleet, { runs: 1, seed, say });
  const handOverMs = handOvers.figures.medianMs.median;
  for (const zipf of DEGREES) {
    const seen = { real: [] as number[], simulated: [] as number[], ratio: [] as number[], displaced: [] as number[] };
    for (let run = 0; run < runs; run += 1) {
      const tasks = contended({ ...CONTENTION, zipf, seed: seed + run });
      const { notes, makespanMs } = faults.note(await fleet.run('signalbox', tasks));
      const played = replay(tasks, notes, handOverMs);
      seen.real.push(makespanMs);
      seen.simulated.push(played.makespanMs);
      seen.ratio.push(makespanMs / played.makespanMs);
      seen.displaced.push(100 * displacement(orderOf(notes), played.order));
      const [ratio, displaced] = [seen.ratio.at(-1) ?? Number.NaN, seen.displaced.at(-1) ?? Number.NaN];
      say(
        `agreement ${zipf}, run ${run + 1} of ${runs}: real over simulated ${ratio.toFixed(2)}, displaced by ${displaced.toFixed(1)} %`,
      );
    }
    figures.push({
      zipf,
      handOverMs,
      realMs: spread(seen.real),
      simulatedMs: spread(seen.simulated),
      makespanRatio: spread(seen.ratio),
      displacement: spread(seen.displaced),
    });
  }
  return {
    figures,
    overlaps: [...handOvers.overlaps, ...faults.all.overlaps],
    deadManFired: handOvers.deadManFired + faults.all.deadManFired,
  };
}

function replay(
  tasks: readonly BenchTask[],
  notes: readonly Note[],
  handOverMs: number,
): { makespanMs: number; order: number[] } {
  const took = new Map(notes.map(({ task, from, to }) => [task, to - from]));
  const measured = tasks.map((task, index) => ({ ...task, ms: (took.get(index) ?? task.ms) + handOverMs }));
  const order: number[] = [];
  const { makespanMs } = simulate({ runners: WORKERS * CONCURRENCY, keepAfterMs: KEEP_AFTER_MS }, fromBench(measured), {
    started: ({ id }) => void order.push(id),
  });
  return { makespanMs, order };
}

function orderOf(notes: readonly Note[]): number[] {
  return notes.toSorted((a, b) => a.from - b.from).map(({ task }) => task);
}

/** How far apart two orders of the same things are: the mean distance of a thing's two places, over how many there are. */
export function displacement(one: readonly number[], other: readonly number[]): number {
  const places = new Map(other.map((task, place) => [task, place]));
  const sum = one.reduce((all, task, place) => all + Math.abs(place - (places.get(task) ?? place)), 0);
  return sum / one.length ** 2;
}
