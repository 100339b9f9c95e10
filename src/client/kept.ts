/** Paths that stay claimed until a branch is merged, given up by hand. */

import { parseNode } from '../claims/claim-set.ts';
import { SignalboxError } from '../errors.ts';
import type { TaskQueue } from '../queue/task-queue.ts';
import { readHolders } from './held.ts';

/** A claim that was kept for a merge. */
export interface KeptClaim {
  readonly runnerId: string;
  readonly taskId: string | null;
  readonly branch: string;
}

/** How many are named to whoever asks for another one. */
const NAMED = 5;

/**
 * Ends the claims that a task, a branch or a runner keeps until the merge. Answers what they were. Throws NOT_FOUND,
 * saying what is kept, if there is none.
 */
export async function releaseKept(queue: TaskQueue, name: string): Promise<KeptClaim[]> {
  const kept = await readKept(queue);
  const ended: KeptClaim[] = [];
  for (const claim of kept) {
    if (![claim.taskId, claim.branch, claim.runnerId].includes(name)) continue;
    if ((await queue.locker.unkeep(claim.runnerId)) === undefined) continue;
    ended.push(claim);
  }
  if (ended.length === 0) throw notKept(name, kept);
  return ended;
}

async function readKept(queue: TaskQueue): Promise<KeptClaim[]> {
  const holders = await readHolders(queue);
  return holders
    .filter(({ kind }) => kind === 'merged')
    .map(({ id, taskId, branch }) => ({ runnerId: id, taskId, branch: parseNode(branch ?? '').value }));
}

function notKept(name: string, kept: readonly KeptClaim[]): SignalboxError {
  const more = kept.length - NAMED;
  const named = kept.slice(0, NAMED).map(({ taskId, branch }) => `${branch}${taskId === null ? '' : ` (${taskId})`}`);
  return new SignalboxError('NOT_FOUND', `Nothing is kept until a merge by ${JSON.stringify(name)}.`, {
    next:
      kept.length === 0
        ? 'Nothing at all is kept now; `signalbox claims` shows what is held.'
        : `Kept are the paths of ${named.join(', ')}${more > 0 ? ` and ${more} more` : ''}.`,
    details: { kept },
  });
}
