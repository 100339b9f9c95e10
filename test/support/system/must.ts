/** Assertions that need no test runner, so that other programs can check the invariants too. */

import { AssertionError } from 'node:assert';
import { isDeepStrictEqual } from 'node:util';

/** Throws an `AssertionError` that says what is wrong and shows both, unless they are equal in all. */
export function same(actual: unknown, expected: unknown, what: string): void {
  if (isDeepStrictEqual(actual, expected)) return;
  const message = `${what}: ${JSON.stringify(actual)} instead of ${JSON.stringify(expected)}`;
  throw new AssertionError({ message, actual, expected });
}

/** Throws an `AssertionError` that shows what was found, unless nothing was. */
export function none(found: readonly unknown[], what: string): void {
  if (found.length === 0) return;
  const message = `${what}: ${found.map((one) => JSON.stringify(one)).join(', ')}`;
  throw new AssertionError({ message, actual: found, expected: [] });
}
