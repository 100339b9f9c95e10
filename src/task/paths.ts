/**
 * Names of claimed paths. One thing has one name: whoever spells a path differently (`./a//b`, `A/b`, composed or
 * decomposed accents) gets the same lock. Too much is safe to claim, too little is not, so folding is generous and
 * a glob claims its longest literal folder.
 */

import { SignalboxError } from '../errors.ts';
import { shown } from '../invalid.ts';

/** The longest claimed path, in UTF-8 bytes. */
const MAX_PATH_BYTES = 4095;
/** The longest part of a path between two slashes, in UTF-8 bytes. */
const MAX_PART_BYTES = 255;

/** A claimed path. Its name is empty for the whole repository. */
export interface ClaimPath {
  /** The lock's name: NFC and case-folded. */
  readonly name: string;
  /** What is claimed, spelled as it was submitted. */
  readonly shown: string;
  /** Whether it was written as a glob, so that more than what it matches may be claimed. */
  readonly glob: boolean;
}

/** The claimed path for what a user wrote. Throws `INVALID`, without a field that only the caller knows. */
export function normalizeClaimPath(pattern: string): ClaimPath {
  const problem = claimPathProblem(pattern);
  if (problem !== undefined) {
    throw new SignalboxError('INVALID', `path ${shown(pattern)} ${problem}`, {
      next: 'Correct the path and try again.',
    });
  }
  const parts = partsOf(pattern);
  const globAt = parts.findIndex(isGlob);
  const claimed = (globAt < 0 ? parts : parts.slice(0, globAt)).join('/');
  return { name: foldPath(claimed), shown: claimed, glob: globAt >= 0 };
}

/** The lock's name of what `pattern` claims: `''` for the whole repository. Throws `INVALID`. */
export function claimedPath(pattern: string): string {
  return normalizeClaimPath(pattern).name;
}

/** What is wrong with a claimed path, as a clause; undefined when nothing is. */
export function claimPathProblem(pattern: string): string | undefined {
  if (pattern === '') return 'must not be empty (write `**` for the whole repository)';
  if (/[\u0000-\u001f\u007f]/.test(pattern)) return 'must not contain control characters';
  if (/\p{Surrogate}/u.test(pattern)) return 'must be well-formed Unicode';
  if (pattern.includes('\\')) return 'must use `/`, not a backslash';
  if (pattern.startsWith('/') || /^[a-z]:(\/|$)/i.test(pattern))
    return 'must be relative to the repository, not absolute';
  if (Buffer.byteLength(pattern) > MAX_PATH_BYTES) return `must be at most ${MAX_PATH_BYTES} bytes`;
  const parts = partsOf(pattern);
  if (parts.includes('..')) return 'must not contain `..`';
  if (parts.some(isDotGit)) return 'must not lead into `.git`';
  if (parts.some((part) => Buffer.byteLength(part) > MAX_PART_BYTES)) {
    return `must not have a part of more than ${MAX_PART_BYTES} bytes`;
  }
  return undefined;
}

/**
 * The lock's name of a literal path: NFC, case-folded. Lower, upper, lower again so that letters whose cases are not
 * one to one (ß and SS, the Greek sigmas) meet.
 */
export function foldPath(path: string): string {
  if (/^[\x20-\x7e]*$/.test(path)) return path.toLowerCase();
  return path.normalize('NFC').toLowerCase().toUpperCase().toLowerCase().replaceAll('ς', 'σ').normalize('NFC');
}

function partsOf(pattern: string): string[] {
  return pattern.split('/').filter((part) => part !== '' && part !== '.');
}

function isGlob(part: string): boolean {
  return /[*?{}]/.test(part);
}

/** `.git` as any file system may read it: any case, NTFS short name, streams, trailing dots, HFS+ ignorables. */
function isDotGit(part: string): boolean {
  const bare = part.replace(/[\u200c-\u200f\u202a-\u202e\u206a-\u206f\ufeff]/g, '').toLowerCase();
  return /^(\.git|git~1)[. ]*(:.*)?$/.test(bare);
}
