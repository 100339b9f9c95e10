/** Names of files become names of locks and go into records and events, where no secret may turn up. */

import { SignalboxError } from '../errors.ts';
import { scrub } from './supervisor/scrubber.ts';

/** Throws `INVALID` if the value of a secret is in one of the paths. */
export function checkNames(paths: readonly string[], secrets: readonly string[]): void {
  if (secrets.length === 0) return;
  const named = paths.join('\0');
  const shown = scrub(named, secrets);
  if (shown === named) return;
  const path = shown.split('\0').find((one) => one.includes('***')) ?? '';
  throw new SignalboxError('INVALID', `the path ${JSON.stringify(path)} has the value of a secret in it`, {
    next: 'Let the steps name files by something else.',
  });
}
