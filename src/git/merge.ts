/** Three-way merges of whole trees, made of objects alone: no file of a checkout is read or written, no hook runs. */

import { SignalboxError } from '../errors.ts';
import type { Mirror, Oid } from './mirror.ts';

/** What to merge; git finds the commit that both grew from. */
export interface MergeRequest {
  readonly ours: Oid;
  readonly theirs: Oid;
  /** A checkout whose `.gitattributes` say how a file may be merged: `union`, or not at all. They name no program. */
  readonly attributesFrom?: string;
  readonly signal?: AbortSignal | undefined;
}

/** The merged tree, or the paths that both sides changed differently. */
export type Merge =
  | { readonly kind: 'clean'; readonly tree: Oid }
  | { readonly kind: 'conflict'; readonly paths: string[] };

const USAGE = 129;

/** Merges two commits of the mirror. Throws `UNSUPPORTED` if git cannot do that yet. */
export async function mergeTrees(mirror: Mirror, request: MergeRequest): Promise<Merge> {
  const { ours, theirs, attributesFrom, signal } = request;
  const flags = ['--write-tree', '-z', '--name-only', '--no-messages', '--allow-unrelated-histories'];
  const { exitCode, stdout } = await mirror.git(['merge-tree', ...flags, ours, theirs], {
    gitDir: mirror.dir,
    signal,
    allow: [1, USAGE],
    // Merge drivers are named by the mirror's configuration, in which there is none.
    ...(attributesFrom === undefined ? {} : { cwd: attributesFrom, env: { GIT_WORK_TREE: attributesFrom } }),
  });
  if (exitCode === USAGE) throw tooOld();
  const [tree = '', ...paths] = stdout.split('\0').filter((part) => part !== '');
  return exitCode === 0 ? { kind: 'clean', tree } : { kind: 'conflict', paths };
}

function tooOld(): SignalboxError {
  return new SignalboxError('UNSUPPORTED', 'this git is too old to merge without a checkout (`merge-tree`)', {
    next: 'Install git 2.38 or newer on the worker and make sure that it is the one in PATH.',
  });
}
