/**
 * What can be limited, by name: `max_parallel_runners` (the whole fleet), `owner:NAME` and `spec:NAME` (a quota),
 * `resource:NAME` (a capacity), `weight:OWNER`.
 */

import { SignalboxError } from '../errors.ts';
import { nearMiss } from '../invalid.ts';

/** The most runners in the whole fleet. */
export const MAX_PARALLEL_RUNNERS = 'max_parallel_runners';

const KINDS = ['owner', 'spec', 'resource', 'weight'];
const NAME = /^[\p{L}\p{N}_][\p{L}\p{N}._@+/-]{0,99}$/u;
const MAX_COUNT = 1_000_000;
const MIN_WEIGHT = 0.001;
const MAX_WEIGHT = 1_000;

/** Checks the name of a limit. Throws INVALID with the name as its field. */
export function checkLimitName(name: string): void {
  if (name === MAX_PARALLEL_RUNNERS) return;
  const colon = name.indexOf(':');
  const [kind, rest] = colon < 0 ? [name, ''] : [name.slice(0, colon), name.slice(colon + 1)];
  if (KINDS.includes(kind)) {
    if (NAME.test(rest)) return;
    throw refusal(name, `${kind}: must be followed by a name of at most 100 letters, digits and . _ @ + / -`);
  }
  const near = nearMiss(kind, colon < 0 ? [MAX_PARALLEL_RUNNERS, ...KINDS] : KINDS);
  if (near === undefined) throw refusal(name, 'there is no such limit');
  throw refusal(name, `there is no such limit: did you mean \`${near}${KINDS.includes(near) ? ':NAME' : ''}\`?`);
}

/** Reads the number of a limit: whole and from 1 up, or a share above 0 for a weight. Throws INVALID. */
export function readLimit(name: string, value: string | number): number {
  const number = Number(value);
  if (name.startsWith('weight:')) {
    if (String(value).trim() !== '' && number >= MIN_WEIGHT && number <= MAX_WEIGHT) return number;
    throw refusal(name, `must be a number from ${MIN_WEIGHT} to ${MAX_WEIGHT}; given ${JSON.stringify(value)}`);
  }
  if (/^\d+$/.test(String(value)) && number >= 1 && number <= MAX_COUNT) return number;
  throw refusal(name, `must be a whole number from 1 to ${MAX_COUNT}; given ${JSON.stringify(value)}`);
}

function refusal(name: string, message: string): SignalboxError {
  return new SignalboxError('INVALID', `\`${name}\`: ${message}`, {
    field: name,
    next: `Give ${MAX_PARALLEL_RUNNERS}, owner:NAME, spec:NAME or resource:NAME with a whole number from 1 up, or weight:OWNER; \`none\` takes a limit away.`,
  });
}
