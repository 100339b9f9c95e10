/** Waits for submitted tasks, shows how they go, and turns their ends into an answer and an exit code. */

import type { Signalbox } from '../../client/signalbox.ts';
import { type ErrorCode, SignalboxError } from '../../errors.ts';
import type { AcceptedTask } from '../../queue/store.ts';
import { countText } from '../format.ts';
import type { Output } from '../output.ts';
import { awaitEnds, type Standing } from './ends.ts';
import { openProgress } from './progress.ts';

/** What is waited for. */
export interface ReportOptions {
  readonly box: Signalbox;
  readonly out: Output;
  readonly accepted: readonly AcceptedTask[];
}

/** Waits until all have ended, prints the answer, and gives the exit code: 0, 3 for a conflict, 4 for other failures. */
export async function report({ box, out, accepted }: ReportOptions): Promise<number> {
  const ids = accepted.map(({ id }) => id);
  const progress = await openProgress({ box, out, ids });
  const leave = (): void => {
    out.note(`\nNo longer waiting; ${countText(ids.length, 'task')} went on: ${ids.slice(0, 3).join(' ')}`);
    process.exit(130);
  };
  process.once('SIGINT', leave);
  let ends: Map<string, Standing>;
  try {
    ends = await awaitEnds({ box, ids, onChange: progress.changed });
  } finally {
    process.removeListener('SIGINT', leave);
    await progress.close();
  }
  const tasks = accepted.map((task) => ({ ...task, state: ends.get(task.id)?.state ?? task.state }));
  const error = failureOf(ends);
  out.data({ tasks, ...(error === undefined ? {} : { error }) }, () => ids.join('\n'));
  if (error !== undefined && !out.json) out.note(out.describe(error));
  return error?.exitCode ?? 0;
}

/** CONFLICT if nothing worse happened than that something was held; TASK_FAILED else. */
function failureOf(ends: ReadonlyMap<string, Standing>): SignalboxError | undefined {
  const failed = [...ends].filter(([, { state }]) => state !== 'succeeded');
  const [first] = failed.filter(([, { code }]) => code !== 'conflict').concat(failed);
  if (first === undefined) return undefined;
  const [id, { state, code }] = first;
  const errorCode: ErrorCode = code === 'conflict' ? 'CONFLICT' : 'TASK_FAILED';
  const how = code === null || code === state ? state : `${state} (${code})`;
  const others = failed.length > 1 ? `, and ${countText(failed.length - 1, 'other task')} did not succeed either` : '';
  return new SignalboxError(errorCode, `Task ${id} ended as ${how}${others}.`, {
    next: `See why with \`signalbox explain ${id}\` and \`signalbox logs ${id}\`.`,
  });
}
