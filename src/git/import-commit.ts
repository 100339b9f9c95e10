/** The way of a commit out of a workspace: what comes from a step is checked before anything is done with it. */

import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { SignalboxError } from '../errors.ts';
import { controlDir } from './control.ts';
import { type Mirror, type Oid, resolveCommit } from './mirror.ts';

/** A commit and the workspace that holds it. */
export interface CommitInWorkspace {
  readonly workspaceDir: string;
  readonly commit: Oid;
  readonly signal?: AbortSignal | undefined;
}

const PUBLISHED = 'refs/signalbox/publish';

/**
 * Brings a commit of a workspace into the mirror. git reads only the control folder, whose configuration is ours, and
 * checks every object that it takes. Throws `WORKSPACE` if the workspace does not have it or it is not sound.
 */
export async function importCommit(mirror: Mirror, { workspaceDir, commit, signal }: CommitInWorkspace): Promise<void> {
  const { git, dir } = mirror;
  const ref = `${PUBLISHED}/${commit}`;
  const control = controlDir(workspaceDir);
  try {
    // As a file: git fetches by name, and this folder is ours alone.
    await mkdir(join(control, PUBLISHED), { recursive: true });
    await writeFile(join(control, ref), `${commit}\n`);
    const args = [
      'fetch',
      '--quiet',
      '--no-tags',
      '--no-write-fetch-head',
      '--no-auto-maintenance',
      '--',
      control,
      ref,
    ];
    await git(args, { gitDir: dir, signal, config: [['fetch.fsckObjects', 'true']] });
  } catch (error) {
    if (!(error instanceof SignalboxError)) throw error;
    throw notSound(commit, error);
  }
  if ((await resolveCommit(git, dir, commit)) !== commit) throw notSound(commit, undefined);
}

function notSound(commit: Oid, cause: SignalboxError | undefined): SignalboxError {
  const why = cause === undefined ? 'it is not a commit' : cause.message;
  return new SignalboxError('WORKSPACE', `the commit ${commit} cannot be taken from the workspace: ${why}`, {
    next: 'Look at what the steps do with the repository; its objects must be whole and well formed.',
    cause,
    details: cause?.details ?? {},
  });
}
