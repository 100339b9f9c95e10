/**
 * Lands a run's work: base goes forward to it, and its branch goes with it, in one push.
 *
 * The caller holds base's branch claim meanwhile, which keeps other tasks away, but not people: the push is leased at
 * the very tip that was read, so that whoever was first wins and the other rebases again.
 */

import { SignalboxError } from '../errors.ts';
import { checkBranch } from '../task/branches.ts';
import { type Fenced, isForward, pushFenced } from './fence.ts';
import { type CommitInWorkspace, importCommit } from './import-commit.ts';
import type { Mirror, Oid } from './mirror.ts';
import { movedText, type PublishResult, READ_BACK_MS } from './publisher.ts';
import { type RefUpdate, readRemoteRef } from './push.ts';
import { type Base, type BaseRequest, resolveBase } from './start-point.ts';

/** A branch of the remote to land on. */
export interface LandingBase {
  /** Full name, for example `refs/heads/main`. */
  readonly ref: string;
  readonly tip: Oid;
}

/** What to land, and where. */
export interface Landing extends CommitInWorkspace, Fenced {
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
  const found = await (base === undefined ? headBase(mirror, signal) : resolveBase(mirror, { base, signal }));
  if (found?.ref?.startsWith('refs/heads/')) return { ref: found.ref, tip: found.oid };
  const name = base === undefined ? "The remote's HEAD" : `The base ${JSON.stringify(base)}`;
  throw new SignalboxError('INVALID', `${name} is not a branch of the remote, so that nothing can land on it.`, {
    field: 'base',
    next: 'Name a branch of the remote, or publish with `push`.',
  });
}

/** The branch that the remote's HEAD names; a fetch does not tell its name. */
async function headBase(mirror: Mirror, signal: AbortSignal | undefined): Promise<Base | undefined> {
  const head = await mirror.head(signal);
  if (head === undefined) return undefined;
  const known = (await mirror.resolve(head.oid)) !== undefined || (await mirror.fetchObject('HEAD', signal));
  return known ? { oid: head.oid, ref: head.ref ?? null } : undefined;
}

/**
 * Pushes `commit` to base and to its branch under the run's fence, both or neither: base only forward and only from the
 * tip that was read, the branch only from where the run saw it. Throws when it cannot be told what became of the push,
 * with `details.inDoubt`.
 */
export async function landCommit(mirror: Mirror, landing: Landing): Promise<LandResult> {
  const { commit, base, branch, branchTip } = landing;
  const branchRef = `refs/heads/${checkBranch(branch)}`;
  await importCommit(mirror, landing);
  const onBase = { ref: base.ref, from: base.tip, to: commit };
  if (!(await isForward(mirror, onBase))) {
    const message = `${commit} does not descend from ${base.tip}, the tip of ${base.ref}: landing it would take commits away`;
    return { kind: 'rejected', reason: 'not_descendant', expectedTip: base.tip, message };
  }
  const onBranch = { ref: branchRef, from: branchTip, to: commit };
  const others = branchRef === base.ref || branchTip === commit ? [] : [onBranch];
  const word = { kind: 'published', commit } as const;
  const answer = await pushFenced(mirror, { ...landing, updates: [onBase, ...others], word });
  if (answer.kind === 'moved') return { kind: 'published', oid: commit };
  if (answer.kind !== 'refused') return answer;
  return await refused(mirror, { onBase, others, why: answer.message });
}

/** Tells by where the refs are now what stood in the way. */
async function refused(
  mirror: Mirror,
  { onBase, others, why }: { onBase: RefUpdate & { from: Oid }; others: readonly RefUpdate[]; why: string },
): Promise<LandResult> {
  const read = (ref: string) => readRemoteRef(mirror, ref, AbortSignal.timeout(READ_BACK_MS));
  for (const other of others) {
    const { ref, from } = other;
    const now = await read(ref);
    if (now === from) continue;
    const message = movedText(other, now);
    return { kind: 'rejected', reason: 'branch_moved', expectedTip: from, actualTip: now, message };
  }
  const { ref, from } = onBase;
  const now = await read(ref);
  if (now !== from) return { kind: 'moved', expectedTip: from, actualTip: now };
  const message = `the remote refused ${ref}: ${why}`;
  return { kind: 'rejected', reason: 'refused', expectedTip: from, actualTip: now, message };
}
