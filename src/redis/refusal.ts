/** What a Redis says that answers but takes no writes now, and how to wait until it does. */

import { setTimeout as delay } from 'node:timers/promises';
import { SignalboxError } from '../errors.ts';

/** Its memory is used up (`noeviction`), or it cannot write its append-only file or snapshot. */
const FULL = /\bOOM command not allowed\b|\bMISCONF\b/;
/** It will pass: the data are being loaded, or another node is taking over. */
const PASSING = /\b(?:LOADING|READONLY|MASTERDOWN|CLUSTERDOWN|NOREPLICAS|TRYAGAIN)\b/;

/** Its access list is in the way, in a command or in a script. */
const FORBIDDEN = /\bNOPERM\b[^\n]*|\bACL failure in script\b[^\n]*/;

const AGAIN_MS = 250;

/** The `REDIS_FULL` error for what a full Redis answered; undefined for any other error. */
export function readFull(error: unknown): SignalboxError | undefined {
  const said = saidBy(error);
  if (!FULL.test(said)) return undefined;
  const what = said.includes('MISCONF') ? 'it cannot write to its disk' : 'its memory is used up';
  return new SignalboxError('REDIS_FULL', `Redis takes no more writes: ${what}.`, {
    next: 'Give it room (`maxmemory`, or its disk); workers go on by themselves then. Submit it again after that.',
    cause: error,
  });
}

/** The `FORBIDDEN` error for what this user of Redis may not do; undefined for any other error. */
export function readForbidden(error: unknown): SignalboxError | undefined {
  const what = FORBIDDEN.exec(saidBy(error))?.[0];
  if (what === undefined) return undefined;
  return new SignalboxError('FORBIDDEN', `The user of this Redis may not do that: ${what}.`, {
    next: 'Use the address of a user that may (REDIS_URL), or have its rights widened: see `docs/security.md`.',
    cause: error,
  });
}

/** Throws what Redis answered, as `REDIS_FULL` or `FORBIDDEN` if it is that. */
export function rethrow(error: unknown): never {
  throw readFull(error) ?? readForbidden(error) ?? error;
}

/**
 * Repeats a write that Redis does not take now until it does: without limit, as writes wait for a Redis that is away.
 * For writes that say how something has ended; who must not be outdated names its run in them.
 */
export async function insist<T>(write: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await write();
    } catch (error) {
      const said = saidBy(error);
      if (!FULL.test(said) && !PASSING.test(said)) throw error;
      await delay(AGAIN_MS);
    }
  }
}

/** All that Redis said: a transaction's own error tells only that there were others, a wrapped one is the cause. */
function saidBy(error: unknown): string {
  if (!(error instanceof Error)) return '';
  const { message, cause, previousErrors = [] } = error as Error & { readonly previousErrors?: readonly Error[] };
  return [message, ...previousErrors.map((one) => one.message), saidBy(cause)].join('\n');
}
