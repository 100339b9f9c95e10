/** What the bench prints: the figures as tables, with all that one needs to judge or repeat them. */

import Table from 'cli-table3';
import type { Answer, AnswerTable, Question, Target } from './question.ts';
import type { Setting } from './setting.ts';

/** A question with what came of it. */
export interface Asked {
  readonly question: Pick<Question, 'name' | 'asks'>;
  readonly answer: Answer;
  readonly tookMs: number;
}

/** All that was measured. */
export interface BenchReport {
  readonly setting: Setting;
  readonly asked: readonly Asked[];
}

/** The setting in a line or two. */
export function settingLines({ machine, versions, seed, load }: Setting): string[] {
  const used = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  return [
    `${machine}; ${used.join(', ')}`,
    `seed ${seed}; figures are medians, with smallest to largest; load average at the start ${load.toFixed(1)}`,
  ];
}

/** The report as text. */
export function renderText({ setting, asked }: BenchReport): string {
  const overlaps = asked.flatMap(({ answer }) => answer.faults.overlaps);
  const parts = [
    ...settingLines(setting),
    ...asked.flatMap(({ question, answer, tookMs }) => [
      '',
      `${question.name}: ${question.asks} (${seconds(tookMs)})`,
      ...answer.tables.flatMap((table) => ['', table.title, textTable(table), ...(table.notes ?? [])]),
    ]),
    '',
    'Targets',
    textTable(targetTable(asked.flatMap(({ answer }) => answer.targets))),
    '',
    `overlaps: ${overlaps.length}; waiters that nobody woke: ${deadManFired(asked)}; ${seconds(asked.reduce((sum, { tookMs }) => sum + tookMs, 0))} in all`,
    ...overlaps.slice(0, 20),
  ];
  return `${parts.join('\n')}\n`;
}

/** The report as one JSON value. */
export function renderJson({ setting, asked }: BenchReport): string {
  const questions = Object.fromEntries(
    asked.map(({ question, answer: { figures, targets, faults }, tookMs }) => [
      question.name,
      { asks: question.asks, tookMs: Math.round(tookMs), figures, targets, ...faults },
    ]),
  );
  return `${JSON.stringify({ setting, questions }, null, 2)}\n`;
}

/** Whether nothing happened that must not. */
export function isSound({ asked }: BenchReport): boolean {
  return asked.every(({ answer: { faults } }) => faults.overlaps.length === 0 && faults.deadManFired === 0);
}

/** The targets as a table. */
export function targetTable(targets: readonly Target[]): AnswerTable {
  return {
    title: 'Targets',
    head: ['target', 'goal', 'measured', ''],
    rows: targets.map(({ what, goal, value, unit, met }) => [
      what,
      goal,
      `${value.toFixed(Math.abs(value) < 10 ? 2 : 1)}${unit && ` ${unit}`}`,
      met ? 'met' : 'missed',
    ]),
  };
}

function textTable({ head, rows }: AnswerTable): string {
  const table = new Table({ head: [...head], style: { head: [], border: [], compact: true } });
  for (const row of rows) table.push([...row]);
  return table.toString();
}

function deadManFired(asked: readonly Asked[]): number {
  return asked.reduce((sum, { answer }) => sum + answer.faults.deadManFired, 0);
}

function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(0)} s`;
}
