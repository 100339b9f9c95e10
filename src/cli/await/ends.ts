/** Waits for the ends of several tasks over one subscription. */

import type { StateChange } from '../../client/changes.ts';
import type { Signalbox } from '../../client/signalbox.ts';
import { isTerminal, type TaskCode, type TaskState } from '../../task/states.ts';

/** Where a task is. */
export interface Standing {
  readonly state: TaskState;
  readonly code: TaskCode | null;
}

/** What is waited for and who hears of it. */
export interface AwaitOptions {
  readonly box: Signalbox;
  readonly ids: readonly string[];
  /** Called with each change of state of one of them. */
  readonly onChange?: (id: string, standing: Standing) => void;
}

/** Resolves with how each task ended. Throws TASK_LOST or NOT_FOUND for one that is no longer there. */
export async function awaitEnds({ box, ids, onChange }: AwaitOptions): Promise<Map<string, Standing>> {
  const standings = new Map<string, Standing>();
  const pending = new Set(ids);
  const { promise, resolve, reject } = deferred();
  const note = (id: string, { state, code }: Standing): void => {
    if (!pending.has(id) || standings.get(id)?.state === state) return;
    standings.set(id, { state, code });
    if (isTerminal(state)) pending.delete(id);
    onChange?.(id, { state, code });
    if (pending.size === 0) resolve();
  };
  const look = async (): Promise<void> => {
    const waitedFor = [...pending];
    const records = await box.queue.store.getMany(waitedFor);
    for (const record of records) note(record.id, record);
    const known = new Set(records.map(({ id }) => id));
    // Its end may have come, and its record been trimmed, meanwhile: then it is no longer pending.
    const gone = waitedFor.find((id) => !known.has(id) && pending.has(id));
    if (gone !== undefined) await box.get(gone);
  };
  const hear = (change: StateChange | 'reconnected'): void => {
    if (change === 'reconnected') look().catch(reject);
    else note(change.id, change);
  };
  // Listening begins before the first look, so that nothing in between is missed.
  const stop = await box.watch(hear);
  try {
    await look();
    await promise;
    return standings;
  } finally {
    stop();
  }
}

function deferred(): { promise: Promise<void>; resolve: () => void; reject: (reason: unknown) => void } {
  let resolve: () => void = () => {};
  let reject: (reason: unknown) => void = () => {};
  const promise = new Promise<void>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  // It may be rejected while nobody waits for it yet.
  promise.catch(() => {});
  return { promise, resolve, reject };
}
