/** Tasks that run or wait, one line each, for terminals: a rule of what fits, without a terminal. Pure. */

import type { TaskCode, TaskState } from '../../task/states.ts';
import { durationText, stateText } from '../format.ts';
import type { Paint } from '../paint.ts';
import { columnsOf, fit } from './columns.ts';

/** What is known of a task, or of a program that holds claims. */
export interface TaskLine {
  readonly id: string;
  readonly title: string;
  readonly branch: string;
  readonly state: TaskState | 'holds';
  readonly code: TaskCode | null;
  readonly phase: string | null;
  /** How long it runs, waits, or ran. */
  readonly elapsedMs: number;
  /** How long it is likely to run on; undefined when nobody can tell. */
  readonly remainingMs: number | undefined;
  /** What it waits for, and who has that. */
  readonly waitsFor: { readonly resource: string; readonly holder: string } | undefined;
}

/** Where the lines are drawn. */
export interface Room {
  /** In columns. */
  readonly width: number;
  /** In lines. */
  readonly height: number;
  readonly paint: Paint;
  /** How many tasks there are, where more are not told of. */
  readonly total?: number;
}

/** What there is room for beside the title, widest first. */
type Layout = Readonly<Record<'from' | 'id' | 'branch' | 'phase' | 'bar' | 'left' | 'elapsed', number>>;

const LAYOUTS: readonly [Layout, Layout, Layout, Layout] = [
  { from: 132, id: 23, branch: 26, phase: 9, bar: 12, left: 12, elapsed: 7 },
  { from: 88, id: 0, branch: 20, phase: 9, bar: 8, left: 12, elapsed: 7 },
  { from: 64, id: 0, branch: 0, phase: 9, bar: 8, left: 0, elapsed: 7 },
  { from: 0, id: 0, branch: 0, phase: 9, bar: 0, left: 0, elapsed: 7 },
];

/** What the title gets beside what a task waits for. */
const TITLE_SHARE = 0.35;
const GAP = 2;
const ORDER: readonly TaskLine['state'][] = [
  ...(['running', 'holds', 'blocked', 'queued', 'scheduled'] as const),
  ...(['failed', 'cancelled', 'skipped', 'succeeded'] as const),
];

/** The lines, those that run first, and of what has no room how many there are. Never higher or wider than the room. */
export function taskLines(tasks: readonly TaskLine[], room: Room): string[] {
  const sorted = tasks
    .map((task, index) => ({ task, index }))
    .toSorted((a, b) => ORDER.indexOf(a.task.state) - ORDER.indexOf(b.task.state) || a.index - b.index)
    .map(({ task }) => task);
  const { total = sorted.length } = room;
  if (total <= room.height) return sorted.map((task) => taskLine(task, room));
  const shown = share(sorted, Math.max(0, room.height - 1));
  if (room.height <= 0) return [];
  const hidden = sorted.filter((task) => !shown.includes(task));
  const more = total > sorted.length ? `${total - shown.length} more` : countsOf(hidden);
  return [...shown.map((task) => taskLine(task, room)), room.paint('dim', fit(`… and ${more}`, room.width).trimEnd())];
}

/** Those that run may take two thirds while others wait, so that both are seen. */
function share(sorted: readonly TaskLine[], height: number): TaskLine[] {
  const runs = sorted.filter(({ state }) => state === 'running' || state === 'holds');
  const others = sorted.slice(runs.length);
  const forOthers = Math.min(others.length, Math.max(height - runs.length, Math.floor(height / 3)));
  return [...runs.slice(0, height - forOthers), ...others.slice(0, forOthers)];
}

function countsOf(hidden: readonly TaskLine[]): string {
  return ORDER.flatMap((state) => {
    const count = hidden.filter((task) => task.state === state).length;
    return count === 0 ? [] : [`${count} ${state === 'holds' ? 'holding' : state}`];
  }).join(', ');
}

function taskLine(task: TaskLine, { width, paint }: Room): string {
  const layout = LAYOUTS.find(({ from }) => width >= from) ?? LAYOUTS[3];
  const { id, phase, elapsed } = layout;
  const isRunning = task.state === 'running';
  const state = isRunning ? (task.phase ?? 'starts') : task.state;
  const took = fit(durationText(task.elapsedMs), elapsed);
  const waits = task.waitsFor;
  const styledState = styled(task, fit(state, phase), paint);
  const head = [...(id > 0 ? [paint('dim', fit(task.id, id))] : []), styledState, paint('dim', took)];
  const used = head.reduce((sum, part) => sum + columnsOf(part) + GAP, 0);
  const rest = width - used;
  const parts =
    waits === undefined ? progressParts(task, layout, { rest, paint }) : waitingParts(task, waits, { rest, paint });
  return [...head, ...parts].join(' '.repeat(GAP)).trimEnd();
}

interface Rest {
  /** The columns that are left. */
  readonly rest: number;
  readonly paint: Paint;
}

function waitingParts({ title }: TaskLine, waits: NonNullable<TaskLine['waitsFor']>, { rest, paint }: Rest): string[] {
  const by = waits.holder === '' ? '' : `, held by ${waits.holder}`;
  const room = Math.max(0, rest - GAP);
  // The same for all, so that they stand in one column.
  const titleWidth = Math.floor(room * TITLE_SHARE);
  const text = fit(`waits for ${waits.resource}${by}`, room - titleWidth).trimEnd();
  return [fit(title, titleWidth), paint('yellow', text)];
}

function progressParts(task: TaskLine, { branch, bar, left }: Layout, { rest, paint }: Rest): string[] {
  const isRunning = task.state === 'running';
  const tail = [
    ...(branch > 0 ? [paint('cyan', fit(task.branch, branch))] : []),
    ...(bar > 0 ? [isRunning ? progressBar(task, bar, paint) : ' '.repeat(bar)] : []),
    ...(left > 0 ? [paint('dim', fit(isRunning ? leftText(task) : '', left))] : []),
  ];
  const beside = tail.reduce((sum, part) => sum + columnsOf(part) + GAP, 0);
  return [fit(task.title, Math.max(0, rest - beside)), ...tail];
}

function styled({ state, code }: TaskLine, text: string, paint: Paint): string {
  if (state === 'holds') return paint('dim', text);
  // The style of the state, around text of a fixed width.
  return stateText((style) => paint(style, text), state, code);
}

function progressBar({ elapsedMs, remainingMs }: TaskLine, columns: number, paint: Paint): string {
  if (remainingMs === undefined) return paint('dim', '·'.repeat(columns));
  const full = Math.min(columns, Math.floor((columns * elapsedMs) / Math.max(1, elapsedMs + remainingMs)));
  return paint('cyan', '━'.repeat(full)) + paint('dim', '─'.repeat(columns - full));
}

function leftText({ remainingMs }: TaskLine): string {
  return remainingMs === undefined ? '' : `~${durationText(remainingMs)} left`;
}
