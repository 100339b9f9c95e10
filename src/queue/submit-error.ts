/** Why `submit.lua` refused a list, as an error that names the entry. */

import { SignalboxError } from '../errors.ts';
import { dependencyField } from '../task/dependencies.ts';
import type { NewTask } from './store.ts';

/** Reads a refusal. */
export function submitError(reply: readonly (string | number)[], tasks: readonly NewTask[]): SignalboxError {
  const index = Number(reply[1]);
  const place = tasks[index]?.place ?? '';
  if (reply[0] === 'idempotency') {
    return new SignalboxError(
      'IDEMPOTENCY',
      `The idempotency key ${JSON.stringify(tasks[index]?.key)} belongs to ${reply[2]}, which has another body.`,
      {
        field: `${place}idempotencyKey`,
        next: 'Use another key, or submit the same task as before.',
      },
    );
  }
  const at = Number(reply[2]);
  if (reply[0] === 'resource') {
    const name = String(tasks[index]?.resources[at]);
    return new SignalboxError('INVALID', `There is no resource ${JSON.stringify(name)} in this queue.`, {
      field: `${place}claims.resources[${at}]`,
      next: `Say how many may use it at once: signalbox limits set resource:${name} 1`,
    });
  }
  const { dependsOn = [], fields } = tasks[index] ?? {};
  const base = fields?.['base'];
  const field = dependencyField({ dependsOn, ...(typeof base === 'string' ? { base } : {}) }, at);
  const purpose = field === 'base' ? 'start from' : 'depend on';
  return new SignalboxError('INVALID', `There is no task ${JSON.stringify(dependsOn[at])} to ${purpose}.`, {
    field: `${place}${field}`,
    next: 'Name the id of a task that is kept, or the idempotency key of one in the same list.',
  });
}
