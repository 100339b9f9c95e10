/** Contention: how much longer tasks that want the same things take than they must. */

import type { Bench } from '../bench.ts';
import { FaultList } from '../faults.ts';
import { CONCURRENCY, type Fleet, WORKERS } from '../fleet.ts';
import { idealMakespan } from '../ideal.ts';
import { type Answer, atLeast, atMost, type Plot, type Question, type Target } from '../question.ts';
import { type Spread, shown, spread } from '../stats.ts';
import { SYSTEMS, type SystemName } from '../systems/all.ts';
import { type BenchTask, CONTENTION, type Contention, contended } from '../workload.ts';

/** A workload, and who runs it. */
interface Case {
  readonly name: string;
  readonly like: Omit<Contention, 'seed'>;
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

const SEVERAL_KEYS: readonly Case[] = [
  ...[0, 0.5, 0.8, 1.1].map((zipf) => ({
    name: `60 ms, Zipf ${zipf}`,
    like: { ...CONTENTION, zipf },
    systems: WITH_LOCKS,
    runs: zipf > 1 ? 2 : 3,
  })),
  {
    name: '6 ms, Zipf 0.8',
    like: { ...CONTENTION, tasks: 4_000, meanMs: 6, zipf: 0.8 },
    systems: WITH_LOCKS,
    runs: 2,
  },
];

/** 400 tasks of about 60 ms and 4,000 of about 6 ms on 16 slots: Signalbox and its baselines by turns. */
export const contention: Question = {
  name: 'contention',
  asks: 'How much longer do tasks take that want the same branches and files than under a scheduler that knows all?',
  run: async (bench) => {
    await using fleet = await bench.fleet(WITH_LOCKS);
    const faults = new FaultList();
    const several: CaseFigures[] = [];
    for (const one of SEVERAL_KEYS) several.push(await runCase(one, { bench, fleet, faults }));
    return answerOf(several, faults);
  },
};

interface Means {
  readonly bench: Bench;
  readonly fleet: Fleet;
  readonly faults: FaultList;
}

async function runCase({ name, like, systems, runs }: Case, { bench, fleet, faults }: Means): Promise<CaseFigures> {
  const ideals: number[] = [];
  const blocked: number[] = [];
  const spans = new Map(systems.map((system) => [system, [] as number[]]));
  const count = bench.repeats(runs);
  for (let run = 0; run < count; run += 1) {
    const tasks: BenchTask[] = contended({ ...like, tasks: bench.amount(like.tasks, 100), seed: bench.seed + run });
    ideals.push(idealMakespan(tasks, WORKERS * CONCURRENCY));
    for (const [system, list] of spans) {
      const result = faults.note(await fleet.run(system, tasks));
      list.push(result.makespanMs);
      if (system === 'signalbox') blocked.push(result.blocked);
    }
    const told = [...spans].map(
      ([system, list]) => `${SYSTEMS[system].title} ${(list[run] ?? 0) / (ideals[run] ?? 1)}`,
    );
    bench.say(`${name}, run ${run + 1} of ${count}: ${told.join(', ')}`);
  }
  const own = spans.get('signalbox') ?? [];
  const each = (figure: (ms: number, run: number) => number) =>
    Object.fromEntries([...spans].map(([system, list]) => [system, spread(list.map(figure))]));
  return {
    name,
    zipf: like.zipf,
    idealMs: spread(ideals),
    ratio: each((ms, run) => ms / (ideals[run] ?? 1)),
    faster: each((ms, run) => ms / (own[run] ?? 1)),
    blocked: spread(blocked),
  };
}

function answerOf(several: readonly CaseFigures[], faults: FaultList): Answer {
  return {
    figures: { several },
    tables: [
      {
        title: 'Makespan over that of an ideal list scheduler; several keys a task (1 branch, 1 to 3 files), 16 slots',
        head: ['tasks of', 'runs', 'ideal', ...WITH_LOCKS.map((name) => SYSTEMS[name].title), 'blocked'],
        rows: several.map((one) => rowOf(one, WITH_LOCKS)),
      },
    ],
    plots: [plotOf('Several keys a task', several, 1.05)],
    targets: several.flatMap((one) => [...ratioTarget(one, 1.05), ...fasterTarget(one)]),
    faults: faults.all,
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
