/** Whether two claims can be held at once, by the rules alone. */

import { type ClaimSpec, claimSet } from '../../src/claims/claim-set.ts';
import { conflicts } from '../../src/claims/modes.ts';

/** A claim on one made-up repository, unless another is named. */
export function spec(claim: Partial<ClaimSpec>): ClaimSpec {
  return { repoKey: 'git.example.com/acme/app', write: [], read: [], ...claim };
}

/** Whether the two exclude each other on some node. */
export function exclude(one: ClaimSpec, other: ClaimSpec): boolean {
  const theirs = new Map(claimSet(other).map(({ name, mode }) => [name, mode]));
  return claimSet(one).some(({ name, mode }) => {
    const met = theirs.get(name);
    return met !== undefined && conflicts(mode, met);
  });
}
