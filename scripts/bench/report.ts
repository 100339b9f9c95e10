/** What the bench prints: the figures as tables, with all that one needs to judge or repeat them. */

import Table from 'cli-table3';
import type { AgreementFigures } from './agreement.ts';
import type { EstimateFigures } from './estimate.ts';
import type { ContentionFigures, Faults, HandOverFigures, ThroughputFigures } from './measure.ts';
import type { Spread } from './stats.ts';

/** Where and how it was measured. */
export interface Setting {
  readonly machine: string;
  readonly versions: Readonly<Record<string, string>>;
  readonly seed: number;
  readonly runs: number;
  /** What else the machine was doing when it began: its load average of the last minute. */
  readonly load: number;
}

/** All that was measured. */
export interface BenchReport extends Faults {
  readonly setting: Setting;
  readonly contention?: readonly ContentionFigures[];
  readonly throughput?: ThroughputFigures;
  readonly handOver?: HandOverFigures;
  readonly agreement?: readonly AgreementFigures[];
  readonly estimate?: EstimateFigures;
}

/** The report as text. */
export function renderBench({
  setting,
  contention,
  throughput,
  handOver,
  agreement,
  estimate,
  overlaps,
  deadManFired,
}: BenchReport): string {
  const { machine, versions, seed, runs, load } = setting;
  const parts = [
    `${machine}; ${Object.entries(versions)
      .map(([name, version]) => `${name} ${version}`)
      .join(', ')}`,
    `seed ${seed}, ${runs} runs each: median (smallest to largest); load average at the start ${load.toFixed(1)}`,
    ...(contention === undefined
      ? []
      : [
          '',
          'makespan over that of an ideal scheduler, 400 tasks of about 60 ms on 2 × 8 runners',
          contentionTable(contention),
        ]),
    ...(throughput === undefined
      ? []
      : ['', 'tasks a second that do nothing and share nothing', throughputTable(throughput)]),
    ...(handOver === undefined
      ? []
      : ['', 'from the end of one task’s step to the start of the next one’s, on one branch', handOverTable(handOver)]),
    ...(agreement === undefined ? [] : ['', 'the contended workload, run and simulated', agreementTable(agreement)]),
    ...(estimate === undefined
      ? []
      : ['', 'error of estimated waits, as a share of the real one', estimateTable(estimate)]),
    '',
    `overlaps: ${overlaps.length}; waiters that nobody woke: ${deadManFired}`,
    ...overlaps.slice(0, 20),
  ];
  return `${parts.join('\n')}\n`;
}

const STYLE = { head: [], border: [], compact: true };

function contentionTable(figures: readonly ContentionFigures[]): string {
  const table = new Table({
    head: ['Zipf', 'ideal', 'Signalbox', 'BullMQ + redlock’s retries', 'blocked'],
    style: STYLE,
  });
  for (const { zipf, idealMs, ratio, blocked } of figures) {
    table.push([
      zipf,
      `${Math.round(idealMs.median)} ms`,
      show(ratio.signalbox, 2),
      show(ratio.bullmqWithRedlock, 2),
      show(blocked),
    ]);
  }
  return table.toString();
}

function throughputTable({ signalbox, bullmqWithRedlock, bullmqAlone }: ThroughputFigures): string {
  const table = new Table({ head: ['Signalbox', 'BullMQ + redlock (4 keys)', 'BullMQ alone'], style: STYLE });
  table.push([show(signalbox), show(bullmqWithRedlock), show(bullmqAlone)]);
  return table.toString();
}

function handOverTable({ medianMs, p99Ms, baseline }: HandOverFigures): string {
  const table = new Table({ head: ['', 'median', '99th percentile'], style: STYLE });
  table.push(['Signalbox', `${show(medianMs, 1)} ms`, `${show(p99Ms, 1)} ms`]);
  table.push(['BullMQ + redlock’s retries', `${show(baseline.medianMs, 1)} ms`, `${show(baseline.p99Ms, 1)} ms`]);
  return table.toString();
}

function agreementTable(figures: readonly AgreementFigures[]): string {
  const table = new Table({
    head: ['Zipf', 'hand-over', 'real', 'simulated', 'real over simulated', 'displaced by'],
    style: STYLE,
  });
  for (const { zipf, handOverMs, realMs, simulatedMs, makespanRatio, displacement } of figures) {
    const ms = (value: number): string => `${Math.round(value)} ms`;
    table.push([
      zipf,
      `${handOverMs.toFixed(1)} ms`,
      ms(realMs.median),
      ms(simulatedMs.median),
      show(makespanRatio, 2),
      `${show(displacement, 1)} places of 100`,
    ]);
  }
  return table.toString();
}

function estimateTable({ atSubmission, whenBlocked, judged, unknown }: EstimateFigures): string {
  const table = new Table({ head: ['at submission', 'when blocked', 'waits judged', 'no estimate'], style: STYLE });
  table.push([show(atSubmission, 2), show(whenBlocked, 2), show(judged), `${show(unknown, 1)} %`]);
  return table.toString();
}

function show({ min, median, max }: Spread, digits = 0): string {
  return `${median.toFixed(digits)} (${min.toFixed(digits)} to ${max.toFixed(digits)})`;
}
