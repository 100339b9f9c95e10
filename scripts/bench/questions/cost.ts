/** Cost: what a task costs Redis and its worker when nothing goes wrong. */

import { FaultList } from '../faults.ts';
import type { Question } from '../question.ts';
import type { Cost } from '../readings.ts';
import { type Spread, shown, spread } from '../stats.ts';
import { SYSTEMS, type SystemName } from '../systems/all.ts';
import { type BenchTask, CONTENTION, contended, disjoint } from '../workload.ts';

const COMPARED = ['signalbox', 'bullmqWithRedlock', 'bullmqAlone'] as const satisfies readonly SystemName[];
const RUNS = 3;

interface CostFigures {
  readonly system: SystemName;
  readonly workload: string;
  readonly perTask: Readonly<Record<keyof Cost, Spread>>;
}

/** No-op tasks and the contended workload, counted from the first take to the last end. */
export const cost: Question = {
  name: 'cost',
  asks: 'How many commands and how much CPU of Redis and of its worker does a task cost?',
  run: async (bench) => {
    await using fleet = await bench.fleet(COMPARED);
    const faults = new FaultList();
    const figures: CostFigures[] = [];
    const runs = bench.repeats(RUNS);
    for (const [workload, made] of Object.entries(WORKLOADS)) {
      for (const system of COMPARED) {
        if (workload !== NOTHING && system !== 'signalbox') continue;
        const costs: Cost[] = [];
        for (let run = 0; run < runs; run += 1) {
          const tasks = made(bench.amount(2_000, 300), bench.seed + run);
          costs.push(perTask(faults.note(await fleet.run(system, tasks)).cost, tasks.length));
        }
        const spreads = (key: keyof Cost) => spread(costs.map((one) => one[key]));
        const keys = ['cpuUs', 'workerCpuUs', 'commands', 'scripts', 'reads', 'wallMs'] as const;
        const entry = Object.fromEntries(keys.map((key) => [key, spreads(key)])) as CostFigures['perTask'];
        figures.push({ system, workload, perTask: entry });
        bench.say(
          `${workload}, ${SYSTEMS[system].title}: ${keys.map((key) => `${key} ${entry[key].median.toFixed(1)}`).join(', ')}`,
        );
      }
    }
    return {
      figures,
      tables: [
        {
          title: `What a task costs, without faults, from the first start to the last end; ${runs} runs`,
          head: ['', 'tasks', 'Redis CPU', 'worker CPU', 'scripts', 'commands', 'reads of sockets'],
          rows: figures.map(({ system, workload, perTask: { cpuUs, workerCpuUs, scripts, commands, reads } }) => [
            SYSTEMS[system].title,
            workload,
            `${shown(cpuUs)} µs`,
            `${shown(workerCpuUs)} µs`,
            shown(scripts, 1),
            shown(commands, 1),
            shown(reads, 1),
          ]),
          notes: [
            'Commands are those that scripts call, too. What comes in one go is one read of a socket: close to the number of round trips.',
          ],
        },
      ],
      plots: [],
      targets: [],
      faults: faults.all,
    };
  },
};

const NOTHING = 'no-op, 1 branch and 3 files';
const WORKLOADS: Readonly<Record<string, (tasks: number, seed: number) => BenchTask[]>> = {
  [NOTHING]: (tasks) => disjoint(tasks),
  'about 6 ms, contended (Zipf 0.8)': (tasks, seed) => contended({ ...CONTENTION, tasks, meanMs: 6, zipf: 0.8, seed }),
};

function perTask(whole: Cost, tasks: number): Cost {
  return Object.fromEntries(Object.entries(whole).map(([key, value]) => [key, (value as number) / tasks])) as never;
}
