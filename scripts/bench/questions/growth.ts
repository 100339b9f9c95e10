/** Growth: what a task costs when much else is queued, blocked or held, when it claims much, and on many workers. */

import type { Bench } from '../bench.ts';
import { FaultList } from '../faults.ts';
import { CONCURRENCY, type Fleet, WORKERS } from '../fleet.ts';
import { type AnswerTable, atMost, type Plot, type Question, type Target } from '../question.ts';
import { type Spread, shown, spread } from '../stats.ts';
import { backlog, blockedElsewhere, heldElsewhere, type Means, paths, type TaskCost, workers } from './growth-cases.ts';

/** One thing that grows, and what a task costs at each size of it. */
interface Curve {
  readonly name: string;
  readonly sizes: readonly number[];
  readonly measure: (means: Means, size: number) => Promise<TaskCost>;
  /** Whether a task must cost the same at each size; paths a claim may cost each their share. */
  readonly flat: boolean;
  /** How often, unless something else is asked for. */
  readonly runs: number;
  /** Of another system, for comparison: no target of ours. */
  readonly isBaseline?: boolean;
}

interface CurveFigures {
  readonly name: string;
  readonly flat: boolean;
  readonly isBaseline: boolean;
  readonly points: readonly { readonly size: number; readonly cost: Readonly<Record<keyof TaskCost, Spread>> }[];
  /** The largest size over the smallest, run by run. */
  readonly ratio: Readonly<Record<keyof TaskCost, Spread>>;
  /** What one more of it costs in Redis, run by run, in µs. */
  readonly redisUsEach: Spread;
}

const SLOTS = WORKERS * CONCURRENCY;
const MOST_WORKERS = 16;
/** With branch, owner and folders hardly less than the 1,000 nodes from which on a claim is widened to folders. */
const PATHS = [1, 100, 980];
const COSTS = ['redisUs', 'workerUs', 'wallUs'] as const satisfies readonly (keyof TaskCost)[];

const CURVES: readonly Curve[] = [
  { name: 'queued behind it', sizes: [100, 1_000, 10_000, 100_000], measure: backlog, flat: true, runs: 1 },
  {
    name: 'blocked on a branch elsewhere',
    sizes: [10, 1_000, 10_000],
    measure: blockedElsewhere,
    flat: true,
    runs: 1,
  },
  { name: 'claims held elsewhere', sizes: [0, 100, 1_000], measure: heldElsewhere, flat: true, runs: 1 },
  { name: 'paths a claim, 2 deep', sizes: PATHS, measure: paths(2), flat: false, runs: 1 },
  { name: 'paths a claim, 10 deep', sizes: PATHS, measure: paths(10), flat: false, runs: 1 },
];
const OF_WORKERS = { sizes: [1, 4, MOST_WORKERS], flat: true, runs: 1 } as const;
const WORKER_CURVES: readonly Curve[] = [
  {
    name: `worker processes, ${SLOTS} slots in all`,
    measure: workers('signalbox', SLOTS),
    ...OF_WORKERS,
  },
  {
    name: 'the same by BullMQ alone',
    measure: workers('bullmqAlone', SLOTS),
    isBaseline: true,
    ...OF_WORKERS,
  },
];

/** No-op tasks with a branch and files of their own, in an ever larger queue. */
export const growth: Question = {
  name: 'growth',
  asks: 'Does a task cost the same however many are queued, blocked or running, and by how much do more paths add?',
  run: async (bench) => {
    const faults = new FaultList();
    const figures: CurveFigures[] = [];
    {
      await using fleet = await bench.fleet(['signalbox']);
      for (const curve of CURVES) figures.push(await draw(curve, { bench, fleet, faults }));
    }
    await using many = await bench.fleet(['signalbox', 'bullmqAlone'], { workers: MOST_WORKERS });
    for (const curve of WORKER_CURVES) figures.push(await draw(curve, { bench, fleet: many, faults }));
    return {
      figures,
      tables: [tableOf(figures)],
      plots: figures.map(plotOf),
      targets: figures.flatMap(targetsOf),
      faults: faults.all,
    };
  },
};

async function draw(
  { name, sizes, measure, flat, runs: byDefault, isBaseline = false }: Curve,
  means: { readonly bench: Bench; readonly fleet: Fleet; readonly faults: FaultList },
): Promise<CurveFigures> {
  const { bench } = means;
  const runs = bench.repeats(byDefault);
  const wanted = bench.amount(1, 0) === 1 ? sizes : sizes.filter((size) => size <= 1_000);
  const costs = wanted.map(() => [] as TaskCost[]);
  for (let run = 0; run < runs; run += 1) {
    for (const [i, size] of wanted.entries()) costs[i]?.push(await measure(means, size));
    bench.say(
      `${name}, run ${run + 1} of ${runs}: ${wanted.map((size, i) => `${size}: ${costs[i]?.[run]?.redisUs.toFixed(0)} µs`).join(', ')} of Redis a task`,
    );
  }
  const [first = [], last = []] = [costs[0], costs.at(-1)];
  const step = (wanted.at(-1) ?? 1) - (wanted[0] ?? 0);
  const by = (figure: (key: keyof TaskCost) => Spread) =>
    Object.fromEntries(COSTS.map((key) => [key, figure(key)])) as Record<keyof TaskCost, Spread>;
  return {
    name,
    flat,
    isBaseline,
    points: wanted.map((size, i) => ({ size, cost: by((key) => spread((costs[i] ?? []).map((one) => one[key]))) })),
    ratio: by((key) => spread(last.map((one, run) => one[key] / (first[run]?.[key] ?? Number.NaN)))),
    redisUsEach: spread(last.map((one, run) => (one.redisUs - (first[run]?.redisUs ?? 0)) / step)),
  };
}

function tableOf(figures: readonly CurveFigures[]): AnswerTable {
  return {
    title: 'What a no-op task costs',
    head: ['', 'how many', 'runs', 'Redis CPU', 'worker CPU', 'wall clock'],
    rows: figures.flatMap(({ name, points }) =>
      points.map(({ size, cost }) => [name, size, cost.redisUs.count, ...COSTS.map((key) => `${shown(cost[key])} µs`)]),
    ),
    notes: [
      'Of tasks that are there already, from the first take to the last end; wall clock is over the number of tasks.',
    ],
  };
}

function targetsOf({ name, flat, isBaseline, ratio, redisUsEach }: CurveFigures): Target[] {
  if (isBaseline) return [];
  if (!flat) return [atMost(4, `growth, ${name}: Redis CPU a path`, { value: redisUsEach.median, unit: 'µs' })];
  return [
    atMost(1.3, `growth, ${name}: Redis CPU at the most over the least`, { value: ratio.redisUs.median }),
    atMost(1.3, `growth, ${name}: worker CPU at the most over the least`, { value: ratio.workerUs.median }),
  ];
}

function plotOf({ name, points }: CurveFigures): Plot {
  const titles = { redisUs: 'Redis CPU', workerUs: 'worker CPU', wallUs: 'wall clock' } as const;
  return {
    title: `Cost a task against ${name}`,
    kind: 'line',
    x: { name, scale: 'log' },
    y: { name: 'µs', scale: 'linear' },
    // A logarithmic axis has no 0.
    series: COSTS.map((key) => ({
      name: titles[key],
      points: points.map(({ size, cost }) => [Math.max(1, size), cost[key].median] as const),
    })),
  };
}
