/** Whether the simulator says what really happens: the contended workload, run and simulated. */

import { simulate } from '../../../src/waiting/simulation.ts';
import { fromBench } from '../../simulate/lists.ts';
import { FaultList } from '../faults.ts';
import { CONCURRENCY, type Fleet, WORKERS } from '../fleet.ts';
import type { AnswerTable, Question } from '../question.ts';
import { gaps, type Note, percentile, type Spread, shown, spread } from '../stats.ts';
import { type BenchTask, CONTENTION, contended, queueing } from '../workload.ts';

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
const RUNS = 3;

/**
 * Runs the contended workload and simulates it, with the durations that its steps really had and the time that a
 * hand-over takes, measured on another workload: a simulation knows neither the machine nor the network.
 */
export const agreement: Question = {
  name: 'agreement',
  asks: 'Does the simulator say what really happens: makespan and order of starts of the contended workload?',
  run: async (bench) => {
    await using fleet = await bench.fleet(['signalbox']);
    const faults = new FaultList();
    const figures: AgreementFigures[] = [];
    const handOverMs = await measuredHandOver(fleet, faults);
    const runs = bench.repeats(RUNS);
    for (const zipf of DEGREES) {
      const seen = { real: [] as number[], simulated: [] as number[], displaced: [] as number[] };
      for (let run = 0; run < runs; run += 1) {
        const tasks = contended({ ...CONTENTION, zipf, seed: bench.seed + run });
        const { notes, makespanMs } = faults.note(await fleet.run('signalbox', tasks));
        const played = replay(tasks, notes, handOverMs);
        seen.real.push(makespanMs);
        seen.simulated.push(played.makespanMs);
        seen.displaced.push(100 * displacement(orderOf(notes), played.order));
        bench.say(
          `Zipf ${zipf}, run ${run + 1} of ${runs}: real over simulated ${(makespanMs / played.makespanMs).toFixed(2)}, displaced by ${seen.displaced.at(-1)?.toFixed(1)} %`,
        );
      }
      figures.push({
        zipf,
        handOverMs,
        realMs: spread(seen.real),
        simulatedMs: spread(seen.simulated),
        makespanRatio: spread(seen.real.map((ms, run) => ms / (seen.simulated[run] ?? 1))),
        displacement: spread(seen.displaced),
      });
    }
    return { figures, tables: [tableOf(figures)], plots: [], targets: [], faults: faults.all };
  },
};

/** The median in a line of 200 on one branch. */
async function measuredHandOver(fleet: Fleet, faults: FaultList): Promise<number> {
  const { notes } = faults.note(await fleet.run('signalbox', queueing(200, { firstMs: 2_500, ms: 2 })));
  return percentile(gaps(notes), 0.5);
}

function tableOf(figures: readonly AgreementFigures[]): AnswerTable {
  const ms = (value: number): string => `${Math.round(value)} ms`;
  return {
    title: 'The contended workload, run and simulated',
    head: ['Zipf', 'runs', 'hand-over', 'real', 'simulated', 'real over simulated', 'displaced by'],
    rows: figures.map(({ zipf, handOverMs, realMs, simulatedMs, makespanRatio, displacement: displaced }) => [
      zipf,
      realMs.count,
      `${handOverMs.toFixed(1)} ms`,
      ms(realMs.median),
      ms(simulatedMs.median),
      shown(makespanRatio, 2),
      `${shown(displaced, 1)} places of 100`,
    ]),
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
