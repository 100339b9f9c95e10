/** One push: refs moved from what they were seen to be, all or none. */

import { SignalboxError } from '../errors.ts';
import type { Mirror, Oid, Place } from './mirror.ts';

/** A ref to move on the remote. */
export interface RefUpdate {
  /** Full name, for example `refs/heads/main`. */
  readonly ref: string;
  /** What it must be now; null if it must not exist. */
  readonly from: Oid | null;
  readonly to: Oid;
}

/** What the remote said. `unknown`: nothing that can be relied on; the push may have landed, or may still. */
export type PushAnswer =
  | { readonly kind: 'accepted' }
  /** `noAtomic`: for want of `--atomic` alone. */
  | { readonly kind: 'refused'; readonly message: string; readonly noAtomic: boolean }
  | { readonly kind: 'unknown'; readonly error: unknown };

const FLAGS = ['--porcelain', '--quiet', '--no-verify', '--no-follow-tags', '--recurse-submodules=no', '--no-signed'];

/**
 * Pushes from the mirror, or another repository here. Each ref is leased at its full old name, which the remote checks under its own lock. A lease
 * switches off git's check that history only grows, and a ref that does not change is not sent, hence not checked:
 * both are the caller's to mind. Several refs are pushed `--atomic`; for one it would say nothing, and some remotes
 * refuse the word: `atomic` asks for it all the same.
 */
export async function pushRefs(
  place: Place,
  updates: readonly RefUpdate[],
  options: { readonly signal?: AbortSignal | undefined; readonly atomic?: boolean } = {},
): Promise<PushAnswer> {
  const { signal, atomic: asked = updates.length > 1 } = options;
  const atomic = asked ? ['--atomic'] : [];
  const leases = updates.map(({ ref, from }) => `--force-with-lease=${ref}:${from ?? ''}`);
  const refspecs = updates.map(({ ref, to }) => `${to}:${ref}`);
  const args = ['push', ...FLAGS, ...atomic, ...leases, '--', place.url, ...refspecs];
  try {
    const { exitCode, stdout, stderr } = await place.git(args, {
      gitDir: place.dir,
      remote: true,
      signal,
      endsAlone: isFolder(place.url),
      allow: [1],
    });
    if (exitCode === 0) return { kind: 'accepted' };
    const refusal = /^!\t[^\t]*\t(.*)$/m.exec(stdout)?.[1];
    if (refusal !== undefined) return { kind: 'refused', message: refusalText(refusal, stderr), noAtomic: false };
    return { kind: 'unknown', error: notDone(stderr) };
  } catch (error) {
    const atomicRefused = error instanceof SignalboxError && /support --atomic/.test(String(error.details['stderr']));
    if (atomicRefused) {
      return { kind: 'refused', message: 'it cannot move several refs in one step (`--atomic`)', noAtomic: true };
    }
    return { kind: 'unknown', error };
  }
}

function isFolder(url: string): boolean {
  return url.startsWith('/') || url.startsWith('file:');
}

/** What the remote has under a full ref name; null if nothing. Throws `REMOTE_UNREACHABLE`. */
export async function readRemoteRef(mirror: Mirror, ref: string, signal?: AbortSignal): Promise<Oid | null> {
  const options = { remote: true, signal, timeoutMs: 60_000 };
  const { stdout } = await mirror.git(['ls-remote', '--quiet', '--', mirror.url, ref], options);
  const line = stdout.split('\n').find((entry) => entry.endsWith(`\t${ref}`));
  return line === undefined ? null : line.slice(0, line.indexOf('\t'));
}

/** git's summary, with what the remote's own hooks said. */
function refusalText(summary: string, stderr: string): string {
  const remote = stderr
    .split('\n')
    .filter((line) => line.startsWith('remote: '))
    .map((line) => line.slice(8).trim());
  const said = remote
    .filter((line) => line !== '')
    .join(' ')
    .slice(0, 500);
  return said === '' ? summary : `${summary}: ${said}`;
}

function notDone(stderr: string): SignalboxError {
  const tail = stderr.trim().slice(-500);
  return new SignalboxError('GIT', `git push failed: ${tail === '' ? 'no reason given' : tail}`, {
    next: 'Push the same commit by hand to see what the remote objects to.',
  });
}
