/** What a program claims for itself: from what it declares to the nodes it must hold. Pure. */

import type { z } from 'zod';
import { type ClaimNode, claimSet } from '../claims/claim-set.ts';
import { readBy, strict } from '../invalid.ts';
import { branch, claims } from '../task/fields.ts';

/** Claims as `hold` takes them. */
export interface HoldClaims {
  /** An address or a local path. Not looked at when only resources are claimed. */
  readonly repo: string;
  readonly branch?: string | undefined;
  readonly write?: readonly string[] | undefined;
  readonly read?: readonly string[] | undefined;
  /** Named, counted things, one of each. */
  readonly resources?: readonly string[] | undefined;
}

const { write, read, resources } = claims.shape;
const SCHEMA = strict({ branch: branch.optional(), write, read, resources });

/** Claims that are as they must be. */
export type CheckedClaims = z.output<typeof SCHEMA>;

/** Checks claims as those of a task are checked. Throws INVALID naming the field. */
export function checkClaims({ repo: _repo, ...claimed }: HoldClaims): CheckedClaims {
  return readBy(SCHEMA, claimed, { what: 'the claims' });
}

/** Whether something of a repository is claimed. */
export function needsRepo(checked: CheckedClaims): boolean {
  return checked.branch !== undefined || checked.write.length + checked.read.length > 0;
}

/** The nodes to hold. */
export function holdNodes({ branch: name, ...rest }: CheckedClaims, repoKey: string): ClaimNode[] {
  return claimSet({ ...rest, repoKey, ...(name === undefined ? {} : { branch: name }) });
}
