/** Publish: the commit goes to its branch on the remote, from outside the workspace. */

import { SignalboxError } from '../../errors.ts';
import type { Mirror, Oid } from '../../git/mirror.ts';
import { findPublication } from '../../git/published.ts';
import { type Publication, type PublishResult, publishBranch } from '../../git/publisher.ts';
import { type Ending, failed, failedForGood } from '../ending.ts';
import type { Phase, Run } from '../run.ts';
import { claimUndeclared } from '../undeclared.ts';
import { land } from './land.ts';

/** Pushes for `push` and `land`, once all that was changed is claimed; `patch` and `none` leave only artifacts. */
export const publish: Phase = async (run) => {
  const { commit } = run.result;
  const made = await run.madeCheckout();
  if (commit === null || made === undefined) return 'skipped';
  if (run.task.publish !== 'push' && run.task.publish !== 'land') return 'skipped';
  await claimUndeclared(run);
  if (run.task.publish === 'land') return await land(run, made, commit);
  const { branch } = run.record;
  const answer = await push(run, made.mirror, {
    workspaceDir: made.workspace.dir,
    commit,
    branch,
    expectedTip: made.start.branchTip,
    signal: run.signal,
  });
  if (answer.kind === 'failed') return answer;
  const { events } = run.services;
  if (answer.kind === 'rejected') {
    run.published = (await publishedBefore(run, made.mirror)) ?? null;
    if (run.published !== null) return undefined;
    events.emit({ type: 'publish.rejected', ...run.progress.facts, branch, reason: answer.reason });
    return failedForGood('publish_rejected', answer.message);
  }
  run.published = answer.oid;
  events.emit({ type: 'publish.published', ...run.progress.facts, branch, commit: answer.oid });
  return undefined;
};

/**
 * What moved the branch may be this very task: an earlier run whose worker died in mid-push, and whose push landed all
 * the same.
 */
async function publishedBefore({ record, number, signal }: Run, mirror: Mirror): Promise<Oid | undefined> {
  return number === 1 ? undefined : await findPublication(mirror, { ...record, signal });
}

/**
 * A push that failed without an answer is tried again by another run, which first looks whether this one landed.
 */
async function push(
  run: Run,
  mirror: Mirror,
  publication: Publication,
): Promise<PublishResult | Extract<Ending, { kind: 'failed' }>> {
  try {
    return await publishBranch(mirror, publication);
  } catch (error) {
    if (run.signal.aborted || !(error instanceof SignalboxError)) throw error;
    return failed('publish_rejected', `${error.message} ${error.next}`);
  }
}
