/**
 * Land: the work is put on top of base as it is now, tested again there, and base goes forward to it. Base's branch is
 * claimed last and only for this, so that landings go one after the other while the work before them runs in parallel.
 */

import { checkOut } from '../../git/check-out.ts';
import { landCommit, readBase } from '../../git/land.ts';
import type { Oid } from '../../git/mirror.ts';
import { publishBranch } from '../../git/publisher.ts';
import { rebaseOnto } from '../../git/rebase.ts';
import type { Checkout } from '../checkout.ts';
import { type Ending, failed, failedForGood } from '../ending.ts';
import { publishUnderFence } from '../fence.ts';
import { grow } from '../growth.ts';
import type { Run } from '../run.ts';
import { runTests } from './test.ts';

/** Lands the run's commit. What does not apply or fails on the new base is done again, while attempts last. */
export async function land(run: Run, made: Checkout, commit: Oid): Promise<Ending | undefined> {
  const { record, services, signal } = run;
  const { mirror, workspace, start } = made;
  const base = run.baseName ?? undefined;
  const { ref } = await readBase(mirror, { base, signal });
  await grow(run, { write: [], read: [], landOn: ref.replace(/^refs\/heads\//, '') });
  for (;;) {
    const onto = await readBase(mirror, { base, signal });
    const request = { workspaceDir: workspace.dir, commit, baseOid: start.baseOid, tip: onto.tip, signal };
    const rebased = await rebaseOnto(mirror, request);
    if (rebased.kind === 'conflict') {
      return await conflict(run, {
        made,
        commit,
        why: `it does not apply to ${onto.ref}: ${rebased.paths.join(', ')}`,
      });
    }
    if (rebased.changed) {
      await checkOut(mirror, { dir: workspace.dir, commit: rebased.commit, startOid: onto.tip, signal });
      const ending = await runTests(run);
      if (ending !== undefined && ending !== 'skipped') {
        if (ending.kind !== 'failed') return ending;
        return await conflict(run, { made, commit, why: `it fails on the new ${onto.ref}: ${ending.message}` });
      }
    }
    const { branchTip } = start;
    const landing = {
      workspaceDir: workspace.dir,
      commit: rebased.commit,
      base: onto,
      branch: record.branch,
      branchTip,
    };
    const landed = await publishUnderFence(run, async (fenced) => await landCommit(mirror, { ...landing, ...fenced }));
    if (landed.kind === 'ended') return landed.ending;
    if (landed.kind === 'published') {
      run.published = landed.oid;
      const { events } = services;
      events.emit({ type: 'publish.published', ...run.progress.facts, branch: onto.ref, commit: landed.oid });
      return undefined;
    }
    if (landed.kind === 'rejected') {
      const { reason, message } = landed;
      services.events.emit({ type: 'publish.rejected', ...run.progress.facts, branch: onto.ref, reason });
      return failedForGood('publish_rejected', message);
    }
    // Somebody who takes no claims was faster: once more, onto what base is now.
  }
}

interface Refused {
  readonly made: Checkout;
  readonly commit: Oid;
  readonly why: string;
}

/** Back in line for a run on the new base; after the last attempt the work is left on its branch. */
async function conflict(run: Run, { made, commit, why }: Refused): Promise<Ending> {
  const { record } = run;
  if (record.attempts + 1 < record.maxAttempts) return failed('land_conflict', why);
  const { mirror, workspace, start } = made;
  const { branch } = record;
  const publication = { workspaceDir: workspace.dir, commit, branch, expectedTip: start.branchTip, isRemainder: true };
  const kept = await publishUnderFence(
    run,
    async (fenced) => await publishBranch(mirror, { ...publication, ...fenced }),
  );
  if (kept.kind === 'ended' && kept.ending.kind === 'stopped') return kept.ending;
  if (kept.kind === 'published') run.published = kept.oid;
  const where = kept.kind === 'published' ? `the work is kept on ${branch}` : 'the work is kept as a patch';
  return failedForGood('land_conflict', `${why}; ${where}`);
}
