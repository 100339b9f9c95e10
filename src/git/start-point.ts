/** Where a run starts: at the tip of its branch if the remote has it, else at its base. Read anew for each run. */

import { SignalboxError } from '../errors.ts';
import { emptyRemote, type Mirror, type Oid } from './mirror.ts';
import { readRefs } from './refs.ts';

/** Where a run starts. */
export interface StartPoint {
  /** The commit to check out: the branch's tip, else the base. */
  readonly startOid: Oid;
  /** The remote branch's tip, null if it does not exist: what a publication expects to find there. */
  readonly branchTip: Oid | null;
  /** The base's commit; null if the branch exists and no base could be found. */
  readonly baseOid: Oid | null;
}

/** A base as branch, tag or commit; by default the remote's HEAD. */
export interface BaseRequest {
  readonly base?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** What the task says about it: short branch name, and base. */
export interface StartRequest extends BaseRequest {
  readonly branch: string;
}

/** A base that the remote has. */
export interface Base {
  readonly oid: Oid;
  /** Its full ref, null when it is a commit, or the remote's HEAD. */
  readonly ref: string | null;
}

/**
 * Fetches, then finds the start. Throws `INVALID` with the field `base` if the remote does not have the base, and
 * with the field `repo` if it is empty.
 */
export async function resolveStart(mirror: Mirror, { branch, base, signal }: StartRequest): Promise<StartPoint> {
  await mirror.fetch(signal);
  const branchTip = (await mirror.resolve(`refs/heads/${branch}`)) ?? null;
  const found = await resolveBase(mirror, { base, signal });
  if (found === undefined && branchTip === null) throw base === undefined ? await noDefault(mirror) : noBase(base);
  const startOid = branchTip ?? (found as Base).oid;
  return { startOid, branchTip, baseOid: found?.oid ?? null };
}

/** Where a run would start by what was fetched last, without asking the remote: a guess, for work that can be thrown away. */
export async function guessStart(mirror: Mirror, { branch, base }: StartRequest): Promise<Oid | undefined> {
  const tip = await mirror.resolve(`refs/heads/${branch}`);
  if (tip !== undefined) return tip;
  if (base === undefined) return await mirror.fetchedHead();
  return await mirror.resolve(base.startsWith('refs/heads/') ? base : `refs/heads/${base}`).catch(() => undefined);
}

/** Finds a base among what was fetched, and asks the remote for a commit that was not; undefined if it does not have it. */
export async function resolveBase(mirror: Mirror, { base, signal }: BaseRequest): Promise<Base | undefined> {
  return base === undefined ? defaultBase(mirror) : namedBase(mirror, base, signal);
}

async function defaultBase(mirror: Mirror): Promise<Base | undefined> {
  const oid = await mirror.fetchedHead();
  return oid === undefined ? undefined : { oid, ref: null };
}

async function namedBase(mirror: Mirror, base: string, signal: AbortSignal | undefined): Promise<Base | undefined> {
  // A name only, never an expression such as `main~1` that git would compute.
  if (/[~^:?*[\\\s]|\.\.|@\{/.test(base)) return undefined;
  const refs = base.startsWith('refs/') ? [base] : [`refs/heads/${base}`, `refs/tags/${base}`];
  for (const ref of refs) {
    const oid = await mirror.resolve(ref);
    if (oid !== undefined) return { oid, ref };
  }
  if (!/^[0-9a-f]{7,64}$/i.test(base)) return undefined;
  const here = (await mirror.resolve(base)) !== undefined;
  if (!here && (base.length < 40 || !(await mirror.fetchObject(base, signal)))) return undefined;
  const oid = await mirror.resolve(base);
  return oid !== undefined && (await isKept(mirror, oid, signal)) ? { oid, ref: null } : undefined;
}

/**
 * Whether the remote still keeps a commit: below a branch or a tag, or at the tip of another ref. The mirror forgets
 * nothing, so that it also has commits of deleted branches, which another worker could not start from.
 */
async function isKept(mirror: Mirror, oid: Oid, signal: AbortSignal | undefined): Promise<boolean> {
  const args = ['for-each-ref', '--count=1', `--contains=${oid}`, 'refs/heads', 'refs/tags'];
  if ((await mirror.git(args, { gitDir: mirror.dir, signal })).stdout !== '') return true;
  const refs = await mirror.git(['ls-remote', '--quiet', '--', mirror.url], { remote: true, signal });
  return refs.stdout.split('\n').some((line) => line.startsWith(`${oid}\t`));
}

function noBase(base: string): SignalboxError {
  const what = /^[0-9a-f]{40,64}$/i.test(base) ? 'is on no branch or tag of' : 'does not exist in';
  return new SignalboxError('INVALID', `the base ${JSON.stringify(base)} ${what} the remote repository`, {
    field: 'base',
    next: 'Name a branch, a tag or a commit that was pushed to it; a branch may have been deleted since.',
  });
}

/** Nothing was named and HEAD leads nowhere: the remote is empty, or HEAD names a branch that is not there. */
async function noDefault(mirror: Mirror): Promise<SignalboxError> {
  if ((await readRefs(mirror.dir, ['refs/heads'])).size === 0) return emptyRemote();
  return new SignalboxError('INVALID', 'the remote repository has no default branch: its HEAD names none that exists', {
    field: 'base',
    next: 'Name a `base`, or set the default branch of the remote.',
  });
}
