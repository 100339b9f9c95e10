/** `signalbox cancel`: ends tasks. */

import type { Signalbox } from '../../client/signalbox.ts';
import type { SignalboxError } from '../../errors.ts';
import type { Cancelled } from '../../queue/task-queue.ts';
import { awaitEnds } from '../await/ends.ts';
import { command } from '../command.ts';
import { readError } from '../errors.ts';

interface CancelOptions {
  readonly wait?: boolean;
}

interface Result {
  readonly id: string;
  readonly result: Cancelled;
}

/** Cancels each of the tasks; one that cannot be does not keep the others from it. */
export const cancel = command<CancelOptions>({
  name: 'cancel <ids...>',
  summary: 'cancel tasks',
  details: `A task that waits is cancelled at once; the runner of one that runs is asked to stop, and --wait waits until
it has. If some could not be cancelled, the JSON has an \`error\` beside \`tasks\` that tells of the first.`,
  json: '{tasks:[{id,result}]}, where result is cancelled or requested',
  examples: ['signalbox cancel ID', 'signalbox cancel ID1 ID2 --wait'],
  options: (made) => made.option('--wait', 'wait until the tasks have ended'),
  run: async ({ args, options, out, connect }) => {
    await using box = await connect();
    const { tasks, errors } = await cancelAll(box, args);
    if (options.wait === true) await awaitEnds({ box, ids: tasks.map(({ id }) => id) });
    const [error] = errors;
    const words = { cancelled: 'cancelled', requested: options.wait === true ? 'stopped' : 'asked to stop' };
    out.data({ tasks, ...(error === undefined ? {} : { error }) }, () =>
      tasks.map(({ id, result }) => `${id} ${words[result]}`).join('\n'),
    );
    if (!out.json) for (const one of errors) out.note(out.describe(one));
    return error?.exitCode;
  },
});

async function cancelAll(
  box: Signalbox,
  ids: readonly string[],
): Promise<{ readonly tasks: Result[]; readonly errors: SignalboxError[] }> {
  const tasks: Result[] = [];
  const errors: SignalboxError[] = [];
  for (const id of new Set(ids)) {
    try {
      tasks.push({ id, result: await box.cancel(id) });
    } catch (error) {
      const read = readError(error);
      // Without Redis the others would fail as slowly as this one.
      if (read.code === 'REDIS_UNREACHABLE') throw error;
      errors.push(read);
    }
  }
  return { tasks, errors };
}
