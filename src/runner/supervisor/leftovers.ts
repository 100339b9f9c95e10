/**
 * What is left of a run whose supervisor cannot end it any more: it was killed, and where there are no pid namespaces
 * the kernel ended only the first process; or it is stopped, and its worker with it.
 */
import { removeDeadCgroups } from './cgroup.ts';
import { killTree } from './process-tree.ts';

/**
 * Kills on this host all that is left of runs that are over; resolves when nothing of them lives. `pid`: the first
 * process of the only one, if that is known.
 */
export async function endLeftovers(runIds: readonly string[], pid?: number): Promise<void> {
  await Promise.all([killTree({ runId: runIds, pid }), removeDeadCgroups(runIds)]);
}
