/** What the demo prints when it is over: a table, the timeline, the judgement. */

import Table from 'cli-table3';
import type { TaskView } from '../../src/client/views.ts';
import type { Finding } from './check.ts';
import { type Bar, lanesOf, renderTimeline } from './timeline.ts';

/** A demo task that has ended. */
export interface Played {
  readonly name: string;
  readonly view: TaskView;
  /** When it held its claim and on which worker. */
  readonly bars: readonly Bar[];
  /** The names of the tasks that it waited for, with the resources. */
  readonly blockedBy: readonly string[];
}

/** A demo that is over. */
export interface Report {
  readonly played: readonly Played[];
  readonly findings: readonly Finding[];
  readonly wallMs: number;
}

const PLAIN = { head: [], border: [], compact: true };

/** The report as lines of at most `width` characters, the table aside. */
export function renderReport({ played, findings, wallMs }: Report, width: number): string[] {
  const bars = played.flatMap((task) => task.bars);
  const busyMs = bars.reduce((sum, { from, to }) => sum + to - from, 0);
  const table = new Table({ head: ['task', 'state', 'waited', 'blocked by', 'branch', 'commit'], style: PLAIN });
  for (const { name, view, blockedBy } of played) {
    const waited = `${(view.waitMs / 1_000).toFixed(1)} s`;
    table.push([name, view.state, waited, blockedBy.join('\n'), view.branch, view.commit?.slice(0, 8) ?? 'no change']);
  }
  return [
    ...table.toString().split('\n'),
    '',
    ...renderTimeline(lanesOf(bars), width),
    '',
    `${played.length} tasks in ${seconds(wallMs)} s; their runs add up to ${seconds(busyMs)} s.`,
    ...findings.flatMap(({ what, ok, problems }) => [
      `${ok ? '✔' : '✘'} ${what}`,
      ...problems.map((problem) => `    ${problem}`),
    ]),
  ];
}

/** The report as one JSON value. */
export function reportJson({ played, findings, wallMs }: Report): unknown {
  return {
    ok: findings.every(({ ok }) => ok),
    wallMs,
    tasks: played.map(({ name, view, bars, blockedBy }) => {
      const { id, state, branch, commit, waitMs, blockedMs } = view;
      return { name, id, state, branch, commit, waitMs, blockedMs, blockedBy, runs: bars };
    }),
    checks: findings,
  };
}

function seconds(ms: number): string {
  return (ms / 1_000).toFixed(1);
}
