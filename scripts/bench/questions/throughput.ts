/** Throughput: how many tasks a second pass through, when none does anything or waits for another. */

import { FaultList } from '../faults.ts';
import { atLeast, type Question } from '../question.ts';
import { shown, spread } from '../stats.ts';
import { SYSTEMS, type SystemName } from '../systems/all.ts';
import { disjoint } from '../workload.ts';

const COMPARED = ['signalbox', 'bullmqWithRedlock', 'bullmqAlone'] as const satisfies readonly SystemName[];
type Compared = (typeof COMPARED)[number];

/** Some seconds each at most. */
const TASKS: Readonly<Record<Compared, number>> = { signalbox: 2_000, bullmqWithRedlock: 6_000, bullmqAlone: 15_000 };
const RUNS = 3;

/** Tasks with one branch and three files of their own, whose handler returns at once. */
export const throughput: Question = {
  name: 'throughput',
  asks: 'How many tasks a second pass through, if none does anything and none waits for another?',
  run: async (bench) => {
    await using fleet = await bench.fleet(COMPARED);
    const faults = new FaultList();
    const rates: Record<Compared, number>[] = [];
    const runs = bench.repeats(RUNS);
    for (let run = 0; run < runs; run += 1) {
      const rate: Partial<Record<Compared, number>> = {};
      for (const name of COMPARED) {
        const tasks = disjoint(bench.amount(TASKS[name], 500));
        const { makespanMs } = faults.note(await fleet.run(name, tasks));
        rate[name] = (tasks.length / makespanMs) * 1_000;
      }
      rates.push(rate as Record<Compared, number>);
      const told = COMPARED.map((name) => `${SYSTEMS[name].title} ${Math.round(rate[name] ?? 0)}/s`);
      bench.say(`run ${run + 1} of ${runs}: ${told.join(', ')}`);
    }
    const perSecond = (name: Compared) => spread(rates.map((rate) => rate[name]));
    // Of each run by itself: what else the machine does then slows both.
    const share = (name: Compared) => spread(rates.map((rate) => rate.signalbox / rate[name]));
    return {
      figures: Object.fromEntries(COMPARED.map((name) => [name, { perSecond: perSecond(name), share: share(name) }])),
      tables: [
        {
          title: `Tasks a second with 1 branch and 3 files that do nothing; ${runs} runs by turns`,
          head: ['', 'tasks a second', 'Signalbox’s share of it, run by run'],
          rows: COMPARED.map((name) => [SYSTEMS[name].title, shown(perSecond(name)), shown(share(name), 2)]),
          notes: ['BullMQ + redlock locks the same 4 keys around each job; nothing contends for them.'],
        },
      ],
      plots: [
        {
          title: 'Tasks a second without contention',
          kind: 'bar',
          x: { name: '', scale: 'category' },
          y: { name: 'tasks/s', scale: 'linear' },
          series: [
            {
              name: 'tasks a second',
              points: COMPARED.map((name) => [SYSTEMS[name].title, perSecond(name).median] as const),
            },
          ],
        },
      ],
      targets: [
        atLeast(0.8, 'throughput: share of BullMQ + redlock', { value: share('bullmqWithRedlock').median }),
        atLeast(0.3, 'throughput: share of bare BullMQ', { value: share('bullmqAlone').median }),
      ],
      faults: faults.all,
    };
  },
};
