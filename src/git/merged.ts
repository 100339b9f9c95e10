/** What has become of a published branch: asked for claims that last until it is merged. */

import { mergeTrees } from './merge.ts';
import { isAncestor, type Mirror, type Oid, resolveCommit } from './mirror.ts';
import { type BaseRequest, resolveBase } from './start-point.ts';

/** Which branch, published with which commit, to be merged into which base (by default the remote's HEAD). */
export interface MergedRequest extends BaseRequest {
  /** Short branch name. */
  readonly branch: string;
  readonly commit: Oid;
}

/** `gone`: the branch was deleted without being merged, as far as base shows. */
export type BranchFate = 'open' | 'merged' | 'gone';

/**
 * Fetches, then compares. Merged is a branch whose tip or whose published commit base has in its history, or whose
 * every change base has already, as after a squash; while base does not exist, nothing is. Throws `REMOTE_UNREACHABLE`.
 */
export async function isMerged(mirror: Mirror, { branch, base, commit, signal }: MergedRequest): Promise<BranchFate> {
  await mirror.fetch(signal);
  const tip = await mirror.resolve(`refs/heads/${branch}`);
  const into = (await resolveBase(mirror, { base, signal }))?.oid;
  if (into !== undefined) {
    const candidates = tip === undefined || tip === commit ? [commit] : [tip, commit];
    for (const oid of candidates) if (await isIn(mirror, { oid, into, signal })) return 'merged';
  }
  return tip === undefined ? 'gone' : 'open';
}

async function isIn(
  mirror: Mirror,
  { oid, into, signal }: { oid: Oid; into: Oid; signal: AbortSignal | undefined },
): Promise<boolean> {
  if ((await resolveCommit(mirror.git, mirror.dir, oid)) === undefined) return false;
  if (await isAncestor(mirror, oid, into)) return true;
  const merge = await mergeTrees(mirror, { ours: into, theirs: oid, signal });
  if (merge.kind === 'conflict') return false;
  const { stdout } = await mirror.git(['rev-parse', '--verify', `${into}^{tree}`], { gitDir: mirror.dir });
  return merge.tree === stdout.trim();
}
