/** Runs an ended task again: what the new task takes over from the old one. */

import { SignalboxError } from '../errors.ts';
import type { TaskRecord } from '../queue/record.ts';
import type { TaskStore } from '../queue/store.ts';
import type { PreparedTask } from '../queue/submit.ts';
import { taskBelow } from '../runner/base.ts';
import { isTerminal } from '../task/states.ts';
import { parseEnvelope } from '../task/stored.ts';

/**
 * The task to submit, without the old one's idempotency key and dependencies. Throws STATE if it has not ended, INVALID
 * if it is not as it was signed.
 */
export async function retryOf(record: TaskRecord, store: TaskStore): Promise<PreparedTask> {
  const { id, state, base, repo: url, repoKey, repoHost, owner } = record;
  if (!isTerminal(state)) {
    throw new SignalboxError('STATE', `Task ${id} has not ended: it is ${state}.`, {
      next: `Wait for it, or \`signalbox cancel ${id}\` first.`,
    });
  }
  // It is signed anew here, so it must not be what somebody has made of it in Redis.
  store.signer?.check(record);
  await taskBelow(record, store);
  const { idempotencyKey: _key, ...written } = parseEnvelope(record.envelope);
  // A key of its list says nothing by itself: the record names the task that it builds upon by id.
  const task = base === null ? written : { ...written, base };
  // The repository is taken from the record: a path may mean something else where this is called.
  const repo = { key: repoKey, url, ...(repoHost === null ? {} : { host: repoHost }) };
  return { task: { ...task, dependsOn: [] }, repo, owner, retryOf: id };
}
