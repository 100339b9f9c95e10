/** Publish: the commit goes to its branch on the remote, from outside the workspace. */

import { findPublication } from '../../git/published.ts';
import { publishBranch } from '../../git/publisher.ts';
import { failedForGood } from '../ending.ts';
import { publishUnderFence } from '../fence.ts';
import type { Phase } from '../run.ts';
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
  const { record, services, signal } = run;
  const { branch } = record;
  const { mirror, workspace, start } = made;
  const publication = { workspaceDir: workspace.dir, commit, branch, expectedTip: start.branchTip };
  const answer = await publishUnderFence(
    run,
    async (fenced) => await publishBranch(mirror, { ...publication, ...fenced }),
  );
  if (answer.kind === 'ended') return answer.ending;
  if (answer.kind === 'rejected') {
    // Without a ledger, what moved the branch may be an earlier run of this very task, whose push landed late.
    const isUnsure = run.fence?.kind === 'branch' && run.number > 1;
    run.published = isUnsure ? ((await findPublication(mirror, { ...record, signal })) ?? null) : null;
    if (run.published !== null) return undefined;
    services.events.emit({ type: 'publish.rejected', ...run.progress.facts, branch, reason: answer.reason });
    return failedForGood('publish_rejected', answer.message);
  }
  run.published = answer.oid;
  services.events.emit({ type: 'publish.published', ...run.progress.facts, branch, commit: answer.oid });
  return undefined;
};
