/** Leaves a task alone that a newer Signalbox has stored: while a fleet is upgraded, old and new workers run side by side. */

import type { Disposition } from '../queue/consumer.ts';
import type { TaskRecord } from '../queue/record.ts';
import { STORED_VERSION } from '../task/stored.ts';
import type { Services } from './services.ts';

/** When its job may be taken again: soon for a new worker, seldom for the old ones that would only put it back. */
const COME_BACK_MS = 5_000;

/**
 * Puts a task back as it is, uncharged, for a worker that can read it. What was reserved for it is given to others
 * meanwhile, since such a worker may not be there yet; it keeps its rank.
 */
export async function leaveToNewer(record: TaskRecord, version: number, services: Services): Promise<Disposition> {
  const { queue, events, workerId } = services;
  await queue.line.leave(record.id);
  // Refused where it is queued already, or where a later pick-up has it: then there is nothing to note.
  await queue.store.move(
    record.id,
    { by: 'pickup', number: record.pickup },
    { to: 'queued', reason: `stored in form ${version}, and its worker reads ${STORED_VERSION}; not charged` },
  );
  events.emit({ type: 'task.too_new', taskId: record.id, workerId, version, reads: STORED_VERSION });
  return { kind: 'later', atMs: Date.now() + COME_BACK_MS };
}
