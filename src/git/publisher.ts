/**
 * Publishes a run's commit.
 *
 * The publishing repository is the mirror itself. Commits come into it from the workspace's control folder,
 * checked object by object, and are pushed from there by name; no ref is made for them. A repository of its own would
 * be no cleaner (no step writes to either), would borrow these very objects, and the next run of the branch would
 * fetch what this one has sent. Without refs, nothing has to be cleaned up and fetches cannot collide with it; without
 * garbage collection, objects need no ref to stay.
 */

import { checkBranch } from '../task/branches.ts';
import { type Fenced, type FencedAnswer, isForward, pushFenced } from './fence.ts';
import { type CommitInWorkspace, importCommit } from './import-commit.ts';
import type { LedgerWord } from './ledger.ts';
import type { Mirror, Oid } from './mirror.ts';
import { type RefUpdate, readRemoteRef } from './push.ts';

/** What to publish, and where. */
export interface Publication extends CommitInWorkspace, Fenced {
  /** Short branch name. */
  readonly branch: string;
  /** The branch's tip when the run began; null if it did not exist. */
  readonly expectedTip: Oid | null;
  /** Work that is kept on its branch although the task fails: the ledger does not call it the publication. */
  readonly isRemainder?: boolean;
}

/** How a publication ended. Nothing was moved unless it is `published`. */
export type PublishResult =
  | { readonly kind: 'published'; readonly oid: Oid }
  | Extract<FencedAnswer, { kind: 'cut_off' | 'undone' }>
  | {
      readonly kind: 'rejected';
      /** The branch is elsewhere; the commit would take history away; the remote does not want it. */
      readonly reason: 'branch_moved' | 'not_descendant' | 'refused';
      readonly expectedTip: Oid | null;
      /** What the branch is at now, null if it is gone; absent if it was not asked. */
      readonly actualTip?: Oid | null;
      readonly message: string;
    };

/** How long the remote is asked where a ref is after it has refused a push. */
export const READ_BACK_MS = 60_000;

/**
 * Pushes `commit` to its branch under the run's fence, only if the branch is still where the run saw it and only
 * forward. Throws when it cannot be told what became of the push, with `details.inDoubt`.
 */
export async function publishBranch(mirror: Mirror, publication: Publication): Promise<PublishResult> {
  const { commit, branch, expectedTip, isRemainder = false } = publication;
  const ref = `refs/heads/${checkBranch(branch)}`;
  await importCommit(mirror, publication);
  const update = { ref, from: expectedTip, to: commit };
  if (!(await isForward(mirror, update))) {
    const message = `${commit} does not descend from ${expectedTip}, the tip of ${branch}: publishing it would take commits away`;
    return { kind: 'rejected', reason: 'not_descendant', expectedTip, message };
  }
  const word: LedgerWord = isRemainder ? { kind: 'token' } : { kind: 'published', commit };
  const answer = await pushFenced(mirror, { ...publication, updates: [update], word });
  if (answer.kind === 'moved') return { kind: 'published', oid: commit };
  if (answer.kind !== 'refused') return answer;
  const actualTip = await readRemoteRef(mirror, ref, AbortSignal.timeout(READ_BACK_MS));
  if (actualTip !== expectedTip) {
    return { kind: 'rejected', reason: 'branch_moved', expectedTip, actualTip, message: movedText(update, actualTip) };
  }
  const message = `the remote refused ${ref}: ${answer.message}`;
  return { kind: 'rejected', reason: 'refused', expectedTip, actualTip, message };
}

/** Says where a ref was expected and where it is. */
export function movedText({ ref, from }: RefUpdate, actual: Oid | null): string {
  const was = from === null ? 'it did not exist when the run began' : `it was at ${from} when the run began`;
  return `${ref} was changed by somebody else: ${was} and ${actual === null ? 'does not exist now' : `is at ${actual} now`}`;
}
