/** Contention: how much longer tasks that want the same things take than they must. */

import type { Bench } from '../bench.ts';
import { FaultList } from '../faults.ts';
import { CONCURRENCY, type Fleet, WORKERS } from '../fleet.ts';
import { idealMakespan } from '../ideal.ts';
import { startPostgres } from '../postgres.ts';
import { type AnswerTable, atLeast, atMost, type Plot, type Question, type Target } from '../question.ts';
import { type Spread, shown, spread } from '../stats.ts';
import { SYSTEMS, type SystemName } from '../systems/all.ts';
import { type BenchTask, CONTENTION, contended, oneKey } from '../workload.ts';

/** A workload, and who runs it. */
interface Case {
  readonly name: string;
  readonly zipf: number;
  /** As many tasks as that, drawn from that seed. */
  readonly tasks: (count: number, seed: number) => BenchTask[];
  readonly count: number;
  /** Signalbox and its baselines, in the order in which they take turns. */
  readonly systems: readonly SystemName[];
  /** How often it is repeated, unless something else is asked for. */
  readonly runs: number;
}

interface CaseFigures {
  readonly name: string;
  readonly zipf: number;
  readonly idealMs: Spread;
  /** Makespan over the ideal one. */
  readonly ratio: Readonly<Partial<Record<SystemName, Spread>>>;
  /** The baseline's makespan over Signalbox's, in the same run. */
  readonly faster: Readonly<Partial<Record<SystemName, Spread>>>;
  /** How often a task of Signalbox's had to wait for another. */
  readonly blocked: Spread;
}

const WITH_LOCKS: readonly SystemName[] = ['signalbox', 'bullmqWithRedlock', 'bullmqPutBack'];

function severalKeys(
  zipf: number,
  { count, meanMs, runs }: Pick<Case, 'count' | 'runs'> & { readonly meanMs: number },
): Case {
  const tasks = (drawn: number, seed: number) => contended({ ...CONTENTION, tasks: drawn, meanMs, zipf, seed });
  return { name: `${count} × ${meanMs} ms, Zipf ${zipf}`, zipf, tasks, count, runs, systems: WITH_LOCKS };
}

const SEVERAL_KEYS: readonly Case[] = [
  ...[0, 0.5].map((zipf) => severalKeys(zipf, { count: 400, meanMs: 60, runs: 3 })),
  // The more contended, the longer it takes.
  severalKeys(0.8, { count: 400, meanMs: 60, runs: 2 }),
  // They take longest, and differ least from run to run.
  severalKeys(1.1, { count: 400, meanMs: 60, runs: 1 }),
  severalKeys(0.8, { count: 4_000, meanMs: 6, runs: 1 }),
];

function oneKeyCases(systems: readonly SystemName[]): Case[] {
  return [0, 0.8].map((zipf) => ({
    name: `300 × 30 ms, Zipf ${zipf}`,
    zipf,
    tasks: (tasks, seed) => oneKey({ tasks, branches: 30, meanMs: 30, zipf, seed }),
    count: 300,
    runs: 2,
    systems,
  }));
}

/** 400 tasks of about 60 ms and 4,000 of about 6 ms on 16 slots: Signalbox and its baselines by turns. */
export const contention: Question = {
  name: 'contention',
  asks: 'How much longer do tasks take that want the same branches and files than under a scheduler that knows all?',
  run: async (bench) => {
    await using postgres = await startPostgres();
    const withGroups: readonly SystemName[] = [
      'signalbox',
      'groupmq',
      ...(postgres === undefined ? [] : ['graphileWorker' as const]),
      'bullmqWithRedlock',
    ];
    const systems = [...new Set([...WITH_LOCKS, ...withGroups])];
    await using fleet = await bench.fleet(systems, { postgresUrl: postgres?.url });
    const faults = new FaultList();
    const means = { bench, fleet, faults };
    const several: CaseFigures[] = [];
    for (const one of SEVERAL_KEYS) several.push(await runCase(one, means));
    const single: CaseFigures[] = [];
    for (const one of oneKeyCases(withGroups)) single.push(await runCase(one, means));
    return {
      figures: { several, single },
      tables: [
        severalTable(several),
        singleTable(single, { systems: withGroups, hasPostgres: postgres !== undefined }),
      ],
      plots: [plotOf('Several keys a task', several, 1.05), plotOf('One key a task', single, 1.03)],
      targets: [
        ...several.flatMap((one) => [...ratioTarget(one, 1.05), ...fasterTarget(one)]),
        ...single.flatMap((one) => ratioTarget({ ...one, name: `one key, ${one.name}` }, 1.03)),
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

async function runCase(
  { name, zipf, tasks: made, count, systems, runs }: Case,
  { bench, fleet, faults }: Means,
): Promise<CaseFigures> {
  const ideals: number[] = [];
  const blocked: number[] = [];
  const spans = new Map(systems.map((system) => [system, [] as number[]]));
  const repeats = bench.repeats(runs);
  for (let run = 0; run < repeats; run += 1) {
    const tasks = made(bench.amount(count, 100), bench.seed + run);
    ideals.push(idealMakespan(tasks, WORKERS * CONCURRENCY));
    for (const [system, list] of spans) {
      const result = faults.note(await fleet.run(system, tasks));
      list.push(result.makespanMs);
      if (system === 'signalbox') blocked.push(result.blocked);
    }
    const told = [...spans].map(
      ([system, list]) => `${SYSTEMS[system].title} ${((list[run] ?? 0) / (ideals[run] ?? 1)).toFixed(2)}`,
    );
    bench.say(`${name}, run ${run + 1} of ${repeats}: ${told.join(', ')}`);
  }
  const own = spans.get('signalbox') ?? [];
  const each = (figure: (ms: number, run: number) => number) =>
    Object.fromEntries([...spans].map(([system, list]) => [system, spread(list.map(figure))]));
  return {
    name,
    zipf,
    idealMs: spread(ideals),
    ratio: each((ms, run) => ms / (ideals[run] ?? 1)),
    faster: each((ms, run) => ms / (own[run] ?? 1)),
    blocked: spread(blocked),
  };
}

function severalTable(figures: readonly CaseFigures[]): AnswerTable {
  return {
    title:
      'Makespan over that of an ideal list scheduler; several keys a task (1 branch, 1 to 3 files), 16 slots in 2 workers',
    head: ['tasks', 'runs', 'ideal', ...WITH_LOCKS.map((name) => SYSTEMS[name].title), 'blocked'],
    rows: figures.map((one) => rowOf(one, WITH_LOCKS)),
    notes: ['Blocked: how often a task of Signalbox’s had to wait for another.'],
  };
}

function singleTable(
  figures: readonly CaseFigures[],
  { systems, hasPostgres }: { readonly systems: readonly SystemName[]; readonly hasPostgres: boolean },
): AnswerTable {
  return {
    title: 'The same with one key a task (one of 30 branches)',
    head: ['tasks', 'runs', 'ideal', ...systems.map((name) => SYSTEMS[name].title), 'blocked'],
    rows: figures.map((one) => rowOf(one, systems)),
    notes: hasPostgres
      ? [
          'All with 2 processes of 8 slots. graphile-worker: idle slots look every 10 ms, PostgreSQL with synchronous_commit off.',
        ]
      : ['graphile-worker was left out: no PostgreSQL (`postgres`, `initdb`) was found.'],
  };
}

function rowOf({ name, idealMs, ratio, blocked }: CaseFigures, systems: readonly SystemName[]) {
  const ratios = systems.map((system) => (ratio[system] === undefined ? '–' : shown(ratio[system], 2)));
  return [name, idealMs.count, `${Math.round(idealMs.median)} ms`, ...ratios, shown(blocked)];
}

function ratioTarget({ name, ratio }: CaseFigures, goal: number): Target[] {
  const own = ratio.signalbox;
  return own === undefined ? [] : [atMost(goal, `contention, ${name}: makespan over ideal`, { value: own.median })];
}

/** Against the baseline that did best here. */
function fasterTarget({ name, faster }: CaseFigures): Target[] {
  const others = Object.entries(faster).filter(([system]) => system !== 'signalbox');
  const best = Math.min(...others.map(([, { median }]) => median));
  return [atLeast(1.35, `contention, ${name}: times faster than the best baseline`, { value: best })];
}

function plotOf(title: string, figures: readonly CaseFigures[], goal: number): Plot {
  const systems = [...new Set(figures.flatMap(({ ratio }) => Object.keys(ratio) as SystemName[]))];
  return {
    title: `${title}: makespan over ideal`,
    kind: 'bar',
    x: { name: 'tasks of', scale: 'category' },
    y: { name: 'over ideal', scale: 'linear' },
    goal,
    series: systems.map((system) => ({
      name: SYSTEMS[system].title,
      points: figures.map(({ name, ratio }) => [name, ratio[system]?.median ?? Number.NaN] as const),
    })),
  };
}
