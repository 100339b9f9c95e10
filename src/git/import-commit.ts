/** The way of a commit out of a workspace: what comes from a step is checked before anything is done with it. */

import { randomUUID } from 'node:crypto';
import { open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { SignalboxError } from '../errors.ts';
import { controlDir, damaged, START_REF } from './control.ts';
import { type Mirror, type Oid, resolveCommit } from './mirror.ts';
import { isLooseCommit } from './objects.ts';
import { readRef, readRefs } from './refs.ts';

/** A commit and the workspace that holds it. */
export interface CommitInWorkspace {
  readonly workspaceDir: string;
  readonly commit: Oid;
  readonly signal?: AbortSignal | undefined;
}

/** As many objects as git itself still writes one by one when it fetches; more stay together in a pack. */
const LOOSE_AT_MOST = 100;

/**
 * Brings a commit of a workspace into the mirror, with all that it has and the start does not. git reads only the
 * control folder, whose configuration is ours, and checks every object that it takes, and that what it names is there.
 * Throws `WORKSPACE` if the workspace does not have it or it is not sound.
 *
 * This is what `git fetch` does between two folders, without the half of its processes that find out what is needed.
 */
export async function importCommit(mirror: Mirror, { workspaceDir, commit, signal }: CommitInWorkspace): Promise<void> {
  const { git, dir } = mirror;
  const control = controlDir(workspaceDir);
  const pack = join(control, `publish-${randomUUID()}.pack`);
  try {
    const startOid = await readRef(control, START_REF);
    if (startOid === undefined) throw damaged(control, 'does not name the start commit');
    // What the mirror has anyway is neither sent nor checked again: it is not the steps' doing.
    const known = (await readRefs(control, ['refs/remotes/origin', 'refs/tags'])).values();
    const without = [startOid, ...new Set(known)].map((oid) => `^${oid}\n`).join('');
    const packing = ['pack-objects', '--revs', '--thin', '--stdout', '--delta-base-offset', '-q'];
    await git(packing, { gitDir: control, signal, input: `${commit}\n${without}`, outputFile: pack });
    const isSmall = (await objectsIn(pack)) < LOOSE_AT_MOST;
    const unpacking = isSmall ? ['unpack-objects', '-q'] : ['index-pack', '--stdin', '--fix-thin'];
    await git([...unpacking, '--strict'], { gitDir: dir, signal, inputFile: pack });
  } catch (error) {
    if (!(error instanceof SignalboxError)) throw error;
    throw notSound(commit, error);
  } finally {
    await rm(pack, { force: true });
  }
  if (!(await isLooseCommit(dir, commit)) && (await resolveCommit(git, dir, commit)) !== commit)
    throw notSound(commit, undefined);
}

/** A pack begins with a word, its version and the number of its objects. */
async function objectsIn(pack: string): Promise<number> {
  const file = await open(pack);
  try {
    const { buffer } = await file.read(Buffer.alloc(12), 0, 12, 0);
    return buffer.readUInt32BE(8);
  } finally {
    await file.close();
  }
}

function notSound(commit: Oid, cause: SignalboxError | undefined): SignalboxError {
  const why = cause === undefined ? 'it is not a commit' : cause.message;
  return new SignalboxError('WORKSPACE', `the commit ${commit} cannot be taken from the workspace: ${why}`, {
    next: 'Look at what the steps do with the repository; its objects must be whole and well formed.',
    cause,
    details: cause?.details ?? {},
  });
}
