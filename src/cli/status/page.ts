/** The state of a queue as a page for people. */

import type { Status } from '../../client/views.ts';
import { agoText, clip, countText, stateText, table } from '../format.ts';
import type { Paint } from '../paint.ts';

/** What is on the page. */
export interface StatusPage {
  readonly status: Status;
  /** Titles of tasks by id. */
  readonly titles: ReadonlyMap<string, string>;
  readonly paint: Paint;
  /** In columns. */
  readonly width: number;
}

/** What the columns beside a runner's title take. */
const OTHER_COLUMNS = 62;

/** The page's text. */
export function statusPage(page: StatusPage): string {
  const { status } = page;
  return [countsLine(page), workersPart(page), ...(status.runners.length === 0 ? [] : [runnersPart(page)])].join(
    '\n\n',
  );
}

/** The counts of all states on one line. */
export function countsLine({ status, paint }: Pick<StatusPage, 'status' | 'paint'>): string {
  const { queued, scheduled, blocked, running, finished, maxParallelRunners, paused } = status;
  const counts = [
    ...(paused ? [paint('yellow', 'paused')] : []),
    `${running} ${stateText(paint, 'running')}${maxParallelRunners === null ? '' : ` of at most ${maxParallelRunners}`}`,
    `${blocked} ${stateText(paint, 'blocked')}`,
    `${queued} ${stateText(paint, 'queued')}`,
    `${scheduled} ${stateText(paint, 'scheduled')}`,
    `${finished} finished`,
  ];
  return counts.join(paint('dim', ' · '));
}

function workersPart({ status, paint }: StatusPage): string {
  const { workers } = status;
  if (workers.length === 0) return `${paint('yellow', 'No worker is running.')} Start one with \`signalbox worker\`.`;
  const rows = workers.map(({ name, host, pid, running, concurrency }) => [
    name,
    `${host}:${pid}`,
    `${running} of ${concurrency}`,
  ]);
  return table(paint, [countText(workers.length, 'worker'), 'host:pid', 'busy'], rows);
}

function runnersPart({ status, titles, paint, width }: StatusPage): string {
  const names = new Map(status.workers.map(({ id, name }) => [id, name]));
  const titleWidth = Math.max(20, Math.min(60, width - OTHER_COLUMNS));
  const rows = status.runners.map(({ id, taskId, workerId, phase, startedAt }) => [
    taskId ?? id,
    phase ?? (taskId === null ? 'holds claims' : 'starts'),
    agoText(startedAt).replace(/ ago$/, ''),
    clip(names.get(workerId) ?? workerId, 24),
    clip(titles.get(taskId ?? '') ?? '', titleWidth),
  ]);
  return table(paint, ['task', 'phase', 'for', 'worker', 'title'], rows);
}
