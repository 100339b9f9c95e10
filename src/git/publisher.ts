/**
 * Publishes a run's commit.
 *
 * The publishing repository is the mirror itself. Commits are fetched into it from the workspace's control folder,
 * checked object by object, and pushed from there by name; no ref is made for them. A repository of its own would
 * be no cleaner (no step writes to either), would borrow these very objects, and the next run of the branch would
 * fetch what this one has sent. Without refs, nothing has to be cleaned up and fetches cannot collide with it; without
 * garbage collection, objects need no ref to stay.
 */

import { SignalboxError } from '../errors.ts';
import { checkBranch } from '../task/branches.ts';
import { importCommit } from './import-commit.ts';
import { isAncestor, type Mirror, type Oid } from './mirror.ts';
import { type PushAnswer, pushRefs, type RefUpdate, readRemoteRef } from './push.ts';

/** What to publish, and where. */
export interface Publication {
  /** The workspace that holds the commit. */
  readonly workspaceDir: string;
  readonly commit: Oid;
  /** Short branch name. */
  readonly branch: string;
  /** The branch's tip when the run began; null if it did not exist. */
  readonly expectedTip: Oid | null;
  readonly signal?: AbortSignal | undefined;
}

/** How a publication ended. */
export type PublishResult =
  | { readonly kind: 'published'; readonly oid: Oid }
  | {
      readonly kind: 'rejected';
      /** The branch is elsewhere; the commit would take history away; the remote does not want it. */
      readonly reason: 'branch_moved' | 'not_descendant' | 'refused';
      readonly expectedTip: Oid | null;
      /** What the branch is at now, null if it is gone; absent if it was not asked. */
      readonly actualTip?: Oid | null;
      readonly message: string;
    };

/** How long the remote is asked what became of a push. */
export const READ_BACK_MS = 60_000;

/**
 * Pushes `commit` to its branch, only if the branch is still where the run saw it and only forward. When the push's
 * outcome is unknown the remote is read: being there already is success. Throws when even that tells nothing, with
 * `details.inDoubt`: the push may still land. A rejection overwrites nothing.
 */
export async function publishBranch(mirror: Mirror, publication: Publication): Promise<PublishResult> {
  const { commit, branch, expectedTip, signal } = publication;
  const ref = `refs/heads/${checkBranch(branch)}`;
  await importCommit(mirror, publication);
  const update = { ref, from: expectedTip, to: commit };
  if (!(await isForward(mirror, update))) {
    const message = `${commit} does not descend from ${expectedTip}, the tip of ${branch}: publishing it would take commits away`;
    return { kind: 'rejected', reason: 'not_descendant', expectedTip, message };
  }
  // The fence's ref will be one more update of this same push.
  const answer = await pushRefs(mirror, [update], signal);
  return answer.kind === 'accepted' ? { kind: 'published', oid: commit } : readBack(mirror, update, answer);
}

/** Whether the new tip has the old one in its history; true for a ref that does not exist yet. */
export async function isForward(mirror: Mirror, { from, to }: Pick<RefUpdate, 'from' | 'to'>): Promise<boolean> {
  return from === null || (await isAncestor(mirror, from, to));
}

/** Decides by the remote's own state what became of a push that was refused or not answered. */
async function readBack(
  mirror: Mirror,
  update: RefUpdate,
  answer: Exclude<PushAnswer, { kind: 'accepted' }>,
): Promise<PublishResult> {
  // On a clock of its own: a cancelled push must be read back too.
  const actualTip = await readRemoteRef(mirror, update.ref, AbortSignal.timeout(READ_BACK_MS)).catch(
    (error: unknown) => {
      throw inDoubt(update, answer.kind === 'unknown' ? answer.error : error);
    },
  );
  if (actualTip === update.to || (answer.kind === 'unknown' && (await isBuiltUpon(mirror, update, actualTip)))) {
    return { kind: 'published', oid: update.to };
  }
  const expectedTip = update.from;
  if (actualTip !== expectedTip) {
    return { kind: 'rejected', reason: 'branch_moved', expectedTip, actualTip, message: movedText(update, actualTip) };
  }
  if (answer.kind === 'unknown') throw inDoubt(update, answer.error);
  return {
    kind: 'rejected',
    reason: 'refused',
    expectedTip,
    actualTip,
    message: `the remote refused ${update.ref}: ${answer.message}`,
  };
}

/** Whether a ref that is at `actual` has our commit below its tip: it landed, and somebody went on from it. */
export async function isBuiltUpon(mirror: Mirror, { ref, to }: RefUpdate, actual: Oid | null): Promise<boolean> {
  if (actual === null || !(await mirror.fetchObject(ref))) return false;
  return isForward(mirror, { from: to, to: actual });
}

/** Says where a ref was expected and where it is. */
export function movedText({ ref, from }: RefUpdate, actual: Oid | null): string {
  const was = from === null ? 'it did not exist when the run began' : `it was at ${from} when the run began`;
  return `${ref} was changed by somebody else: ${was} and ${actual === null ? 'does not exist now' : `is at ${actual} now`}`;
}

/** The error for a push that may have landed or may still land. */
export function inDoubt({ ref }: RefUpdate, cause: unknown): SignalboxError {
  const known = cause instanceof SignalboxError ? cause : undefined;
  const why = cause instanceof Error ? cause.message : String(cause);
  return new SignalboxError(known?.code ?? 'REMOTE_UNREACHABLE', `the push to ${ref} did not end: ${why}`, {
    next: known?.next ?? 'Read the branch from the remote: the push may have landed or may still land.',
    cause,
    details: { ...known?.details, inDoubt: true },
  });
}
