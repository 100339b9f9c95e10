/** Hand-over: how long a branch lies idle between one holder and the next. */

import { setTimeout as delay } from 'node:timers/promises';
import { Signalbox } from '../../../src/client/signalbox.ts';
import type { Bench } from '../bench.ts';
import { FaultList } from '../faults.ts';
import type { Fleet } from '../fleet.ts';
import { atMost, type Plot, type Question } from '../question.ts';
import { gaps, type Note, percentile, type Spread, shown, spread } from '../stats.ts';
import { REPO } from '../systems/signalbox.ts';
import { queueing } from '../workload.ts';

/** How many wait on the branch, at least, while hand-overs are measured. */
const LENGTHS = [1, 100, 10_000];
/** How many hand-overs are measured at each length. */
const HAND_OVERS = 300;
const TASK_MS = 2;
/** Filling the longest line takes most of the time. */
const RUNS = (waiting: number): number => (waiting > 1_000 ? 1 : 3);

interface LengthFigures {
  readonly waiting: number;
  readonly medianMs: Spread;
  readonly p99Ms: Spread;
}

/** Tasks of 2 ms on one branch, with 1, 100 and 10,000 in line; BullMQ whose workers retry redlock for comparison. */
export const handOver: Question = {
  name: 'hand-over',
  asks: 'How long is it from one task’s end to the start of the next one on its branch, however many wait?',
  run: async (bench) => {
    await using fleet = await bench.fleet(['signalbox', 'bullmqWithRedlock']);
    const faults = new FaultList();
    const figures: LengthFigures[] = [];
    const count = bench.amount(HAND_OVERS, 50);
    for (const waiting of LENGTHS.map((length) => bench.amount(length, Math.min(length, 500)))) {
      const seen = await repeat(bench, { what: `${waiting} waiting`, runs: bench.repeats(RUNS(waiting)) }, async () =>
        waiting === 1 ? await pairs({ fleet, faults }, count / 2) : await line({ fleet, faults }, { waiting, count }),
      );
      figures.push({ waiting, ...seen });
    }
    const baseline = await repeat(
      bench,
      { what: 'redlock’s retries', runs: bench.repeats(RUNS(1)) },
      async () => await baselineGaps(fleet, faults),
    );
    return {
      figures: { signalbox: figures, bullmqWithRedlock: baseline },
      tables: [
        {
          title: `From the end of one task’s step to the start of the next one’s on the same branch; ${count} hand-overs a run`,
          head: ['', 'in line', 'runs', 'median', '99th percentile'],
          rows: [
            ...figures.map(({ waiting, ...one }) => ['Signalbox', waiting, one.medianMs.count, ...cells(one)]),
            ['BullMQ + redlock’s retries', '200 to 0', baseline.medianMs.count, ...cells(baseline)],
          ],
          notes: [
            'With 1 in line: a pair of tasks at a time, half as many. Else the line is filled while the bench holds the branch, and is never shorter than said.',
          ],
        },
      ],
      plots: [plotOf(figures)],
      targets: figures.flatMap(({ waiting, medianMs, p99Ms }) => [
        atMost(1.5, `hand-over, ${waiting} in line: median`, { value: medianMs.median, unit: 'ms' }),
        atMost(10, `hand-over, ${waiting} in line: 99th percentile`, { value: p99Ms.median, unit: 'ms' }),
      ]),
      faults: faults.all,
    };
  },
};

interface Means {
  readonly fleet: Fleet;
  readonly faults: FaultList;
}

async function repeat(
  bench: Bench,
  { what, runs }: { readonly what: string; readonly runs: number },
  measure: () => Promise<number[]>,
) {
  const [medians, p99s]: [number[], number[]] = [[], []];
  for (let run = 0; run < runs; run += 1) {
    const idle = await measure();
    medians.push(percentile(idle, 0.5));
    p99s.push(percentile(idle, 0.99));
    bench.say(
      `${what}, run ${run + 1} of ${runs}: median ${medians.at(-1)?.toFixed(2)} ms, 99th percentile ${p99s.at(-1)?.toFixed(2)} ms`,
    );
  }
  return { medianMs: spread(medians), p99Ms: spread(p99s) };
}

/** How long the first of a pair works: the second is in line long before. */
const PAIR_MS = 15;
/** By then the pair is done. */
const NEXT_PAIR_MS = 40;

/** One pair after the other, each on a branch of its own: one task waits, and nothing else happens. */
async function pairs({ fleet, faults }: Means, count: number): Promise<number[]> {
  await using trial = await fleet.trial('signalbox');
  await trial.start();
  for (let pair = 0; pair < count; pair += 1) {
    const branch = `pair-${pair}`;
    await trial.add([PAIR_MS, TASK_MS].map((ms, i) => ({ branch, files: [`src/pair-${pair}/${i}.ts`], ms })));
    await delay(NEXT_PAIR_MS);
  }
  await trial.ended(2 * count);
  const { notes } = faults.note(await trial.stop());
  const ordered = notes.toSorted((a, b) => a.task - b.task);
  return Array.from({ length: count }, (_, pair) => gaps(ordered.slice(2 * pair, 2 * pair + 2))).flat();
}

/** A line of `waiting` and as many more as hand-overs are measured; what waits then is dropped with its queue. */
async function line(
  { fleet, faults }: Means,
  { waiting, count }: { readonly waiting: number; readonly count: number },
): Promise<number[]> {
  await using trial = await fleet.trial('signalbox');
  await using box = await Signalbox.connect({ redisUrl: trial.place.redisUrl, queue: trial.place.queue });
  const tasks = queueing(waiting + count + 1, { firstMs: TASK_MS, ms: TASK_MS });
  await box.hold({ repo: REPO, branch: 'one' }, async () => {
    await trial.add(tasks);
    await trial.start();
    await trial.until(async () => (await box.queue.store.counts()).blocked === tasks.length);
  });
  await trial.ended(count + 1);
  const { notes } = faults.note(await trial.stop());
  return gaps(firstOf(notes, count + 1));
}

async function baselineGaps(fleet: Fleet, faults: FaultList): Promise<number[]> {
  const tasks = queueing(200, { firstMs: 500, ms: TASK_MS });
  return gaps(faults.note(await fleet.run('bullmqWithRedlock', tasks)).notes);
}

function firstOf(notes: readonly Note[], count: number): Note[] {
  return notes.toSorted((a, b) => a.from - b.from).slice(0, count);
}

function cells({ medianMs, p99Ms }: Pick<LengthFigures, 'medianMs' | 'p99Ms'>): string[] {
  return [`${shown(medianMs, 2)} ms`, `${shown(p99Ms, 2)} ms`];
}

function plotOf(figures: readonly LengthFigures[]): Plot {
  return {
    title: 'Hand-over against the length of the line',
    kind: 'line',
    x: { name: 'in line', scale: 'log' },
    y: { name: 'ms', scale: 'linear' },
    series: [
      { name: 'median', points: figures.map(({ waiting, medianMs }) => [waiting, medianMs.median] as const) },
      { name: '99th percentile', points: figures.map(({ waiting, p99Ms }) => [waiting, p99Ms.median] as const) },
    ],
  };
}
