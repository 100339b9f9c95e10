/** `signalbox show`: all that is known about one task. */

import type { TaskView } from '../../client/views.ts';
import { explanationOf } from '../../task/outcomes.ts';
import { isTerminal, type Outcome } from '../../task/states.ts';
import { command } from '../command.ts';
import { agoText, bytesText, clip, countText, durationText, fields, indent, stateText, table } from '../format.ts';
import type { Output } from '../output.ts';

/** How many changed files are named; `--json` has them all. */
const FILES_SHOWN = 20;

/** Shows one task. */
export const show = command({
  name: 'show <id>',
  summary: 'show all that is known about a task',
  details: 'Its state and why, phases and steps with their durations, conflicts, artifacts and history.',
  json: `{id,state,code,title,repo,branch,base,owner,spec,priority,attempts,runs,crashes,retryOf,submittedAt,
startedAt,finishedAt,waitMs,blockedMs,host,runnerId,workerId,workspace,isolation,concurrentRunners,
fenceToken,fence,commit,error,phases:[{name,state,startedAt,durationMs,steps:[{name,exitCode,
durationMs,outputTail}]}],conflicts:[{resource,holderTaskId,at}],filesChanged,artifacts:[{kind,path,bytes,sha256}],
history:[{state,at,reason}]}`,
  examples: ['signalbox show ID', 'signalbox show ID --json'],
  run: async ({ args, out, connect }) => {
    await using box = await connect();
    const task = await box.get(args[0] ?? '');
    out.data(task, () => pageOf(task, out));
    return undefined;
  },
});

function pageOf(task: TaskView, out: Output): string {
  const { paint } = out;
  const sections = [
    [paint('bold', clip(task.title, 200)), headOf(task, out)],
    ['Phases', phasesOf(task, out)],
    ['Conflicts', task.conflicts.map((one) => conflictLine(one)).join('\n')],
    ['Files changed', filesOf(task)],
    ['Artifacts', artifactsOf(task, out)],
    ['History', historyOf(task, out)],
  ] as const;
  return sections
    .filter(([, body]) => body !== '')
    .map(([title, body], i) => `${i === 0 ? title : paint('bold', title)}\n${indent(body)}`)
    .join('\n\n');
}

type Row = readonly [string, string | null];

function headOf(task: TaskView, { paint }: Output): string {
  const { state, code } = task;
  const why = isTerminal(state) && state !== 'succeeded' ? explanationOf({ state, code } as Outcome) : undefined;
  return fields(paint, [
    ['id', task.id],
    ['state', stateText(paint, state, code)],
    ['why', why === undefined ? null : why.summary],
    ['error', task.error === null ? null : clip(task.error, 500)],
    ['next', why === undefined ? null : why.next],
    ['repo', task.repo],
    ['branch', task.branch],
    ['base', task.base],
    ['commit', task.commit ?? (state === 'succeeded' ? 'none: the task changed nothing' : null)],
    ['owner', task.owner],
    ['spec', task.spec],
    ['priority', task.priority === 'normal' ? null : task.priority],
    ...countRows(task),
    ...timeRows(task),
    ...placeRows(task),
  ]);
}

function countRows(task: TaskView): Row[] {
  return [
    ['attempts', `${task.attempts}${task.runs > task.attempts ? ` (${countText(task.runs, 'run')})` : ''}`],
    ['crashes', task.crashes === 0 ? null : String(task.crashes)],
    ['retry of', task.retryOf],
  ];
}

function timeRows(task: TaskView): Row[] {
  const { startedAt, finishedAt } = task;
  const until = finishedAt === null ? Date.now() : Date.parse(finishedAt);
  return [
    ['submitted', agoText(task.submittedAt)],
    ['waited', `${durationText(task.waitMs)}${task.blockedMs > 0 ? `, ${durationText(task.blockedMs)} blocked` : ''}`],
    ['took', startedAt === null ? null : durationText(until - Date.parse(startedAt))],
  ];
}

function placeRows(task: TaskView): Row[] {
  return [
    ['host', task.host],
    ['runner', task.runnerId],
    ['worker', task.workerId],
    ['workspace', isTerminal(task.state) ? null : task.workspace],
    ['isolation', task.isolation],
  ];
}

function phasesOf({ phases }: TaskView, { paint }: Output): string {
  if (phases.length === 0) return '';
  const rows = phases.flatMap(({ name, state, startedAt, durationMs, steps }) => [
    [name, markOf(state, paint), durationText(durationMs ?? Date.now() - Date.parse(startedAt)), ''],
    ...steps.map((step) => [
      `  ${clip(step.name, 60)}`,
      step.exitCode === 0 ? paint('green', 'ok') : paint('red', step.exitCode === null ? 'killed' : 'failed'),
      durationText(step.durationMs),
      step.exitCode === 0 || step.exitCode === null ? '' : `exit ${step.exitCode}`,
    ]),
  ]);
  const failed = phases.flatMap(({ steps }) => steps).findLast(({ exitCode }) => exitCode !== 0);
  const tail = failed?.outputTail.trimEnd().split('\n').slice(-10).join('\n') ?? '';
  const shown = table(paint, ['phase', 'state', 'took', ''], rows);
  return tail === '' ? shown : `${shown}\n\n${paint('dim', `the end of ${failed?.name}:`)}\n${indent(tail)}`;
}

function markOf(state: TaskView['phases'][number]['state'], paint: Output['paint']): string {
  switch (state) {
    case 'succeeded':
      return paint('green', 'ok');
    case 'failed':
      return paint('red', 'failed');
    case 'running':
      return paint('cyan', 'running');
    case 'skipped':
      return paint('dim', 'skipped');
  }
}

function conflictLine({ resource, holderTaskId, at }: TaskView['conflicts'][number]): string {
  return `${resource}, held by ${holderTaskId ?? 'a holder that is no task'}, ${agoText(at)}`;
}

function filesOf({ filesChanged }: TaskView): string {
  const more = filesChanged.length - FILES_SHOWN;
  return [...filesChanged.slice(0, FILES_SHOWN), ...(more > 0 ? [`and ${more} more`] : [])].join('\n');
}

function artifactsOf({ artifacts, host }: TaskView, { paint }: Output): string {
  if (artifacts.length === 0) return '';
  const rows = artifacts.map(({ kind, bytes, path }) => [kind, bytesText(bytes), path]);
  return `${table(paint, ['kind', 'size', 'path'], rows)}\n${paint('dim', `in the data folder of the worker on ${host ?? 'its host'}`)}`;
}

function historyOf({ history }: TaskView, { paint }: Output): string {
  const rows = history.map(({ state, at, reason }) => [at, stateText(paint, state), reason]);
  return rows.length === 0 ? '' : table(paint, ['at', 'state', 'reason'], rows);
}
