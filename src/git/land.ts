/**
 * Lands a run's work: base goes forward to it, and its branch goes with it, in one push.
 *
 * The caller holds base's branch claim meanwhile, which keeps other tasks away, but not people: the push is leased at
 * the very tip that was read, so that whoever was first wins and the other rebases again.
 */

import { SignalboxError } from '../errors.ts';
import { checkBranch } from '../task/branches.ts';
import { type CommitInWorkspace, importCommit } from './import-commit.ts';
import type { Mirror, Oid } from './mirror.ts';
import { inDoubt, isBuiltUpon, isForward, movedText, type PublishResult, READ_BACK_MS } from './publisher.ts';
import { type PushAnswer, pushRefs, type RefUpdate, readRemoteRef } from './push.ts';
import { type BaseRequest, resolveBase } from './start-point.ts';

/** A branch of the remote to land on. */
export interface LandingBase {
  /** Full name, for example `refs/heads/main`. */
  readonly ref: string;
  readonly tip: Oid;
}

/** What to land, and where. */
export interface Landing extends CommitInWorkspace {
  readonly base: LandingBase;
  /** Short name of the task's own branch. */
  readonly branch: string;
  /** Its tip when the run began; null if it did not exist. The landed commit replaces it, its content replayed. */
  readonly branchTip: Oid | null;
}

/** How a landing ended. `moved`: base is elsewhere by now, to be read, rebased onto and tested again. */
export type LandResult =
  | PublishResult
  | { readonly kind: 'moved'; readonly expectedTip: Oid; readonly actualTip: Oid | null };

/** Reads base anew: the branch that is named, else the remote's HEAD. Throws `INVALID` if it is no branch there. */
export async function readBase(mirror: Mirror, { base, signal }: BaseRequest): Promise<LandingBase> {
  await mirror.fetch(signal);
  const found = await resolveBase(mirror, { base, signal });
  if (found?.ref?.startsWith('refs/heads/')) return { ref: found.ref, tip: found.oid };
  const name = base === undefined ? "The remote's HEAD" : `The base ${JSON.stringify(base)}`;
  throw new SignalboxError('INVALID', `${name} is not a branch of the remote, so that nothing can land on it.`, {
    field: 'base',
    next: 'Name a branch of the remote, or publish with `push`.',
  });
}

/**
 * Pushes `commit` to base and to its branch, both or neither: base only forward and only from the tip that was read,
 * the branch only from where the run saw it. When the push's outcome is unknown the remote is read; base decides,
 * since the push is one. Throws when even that tells nothing, with `details.inDoubt`.
 */
export async function landCommit(mirror: Mirror, landing: Landing): Promise<LandResult> {
  const { commit, base, branch, branchTip, signal } = landing;
  const branchRef = `refs/heads/${checkBranch(branch)}`;
  await importCommit(mirror, landing);
  const onBase = { ref: base.ref, from: base.tip, to: commit };
  if (!(await isForward(mirror, onBase))) {
    const message = `${commit} does not descend from ${base.tip}, the tip of ${base.ref}: landing it would take commits away`;
    return { kind: 'rejected', reason: 'not_descendant', expectedTip: base.tip, message };
  }
  const onBranch = { ref: branchRef, from: branchTip, to: commit };
  // The fence's ref will be one more update of this same push.
  const answer = await pushRefs(mirror, branchRef === base.ref ? [onBase] : [onBase, onBranch], signal);
  if (answer.kind === 'accepted') return { kind: 'published', oid: commit };
  return readBack(mirror, { onBase, onBranch }, answer);
}

/** Decides by the remote's own state what became of a push that was refused or not answered. */
async function readBack(
  mirror: Mirror,
  { onBase, onBranch }: { onBase: RefUpdate & { from: Oid }; onBranch: RefUpdate },
  answer: Exclude<PushAnswer, { kind: 'accepted' }>,
): Promise<LandResult> {
  const read = (ref: string) =>
    readRemoteRef(mirror, ref, AbortSignal.timeout(READ_BACK_MS)).catch((error: unknown) => {
      throw inDoubt(onBase, answer.kind === 'unknown' ? answer.error : error);
    });
  const baseTip = await read(onBase.ref);
  if (baseTip === onBase.to || (await isBuiltUpon(mirror, onBase, baseTip)))
    return { kind: 'published', oid: onBase.to };
  const branchTip = onBranch.ref === onBase.ref ? onBranch.from : await read(onBranch.ref);
  if (branchTip !== onBranch.from) {
    const message = movedText(onBranch, branchTip);
    return { kind: 'rejected', reason: 'branch_moved', expectedTip: onBranch.from, actualTip: branchTip, message };
  }
  if (baseTip !== onBase.from) return { kind: 'moved', expectedTip: onBase.from, actualTip: baseTip };
  if (answer.kind === 'unknown') throw inDoubt(onBase, answer.error);
  const message = `the remote refused ${onBase.ref}: ${answer.message}`;
  return { kind: 'rejected', reason: 'refused', expectedTip: onBase.from, actualTip: baseTip, message };
}
