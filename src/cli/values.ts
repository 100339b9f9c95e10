/** Reads the values of flags. What they throw, commander puts the flag's name before. */

import { InvalidArgumentError } from 'commander';
import { parseDuration } from '../task/duration.ts';

/** A whole number from `min` to `max`. */
export function wholeNumber(min: number, max = Number.MAX_SAFE_INTEGER): (text: string) => number {
  return (text) => {
    const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
    if (Number.isSafeInteger(value) && value >= min && value <= max) return value;
    const range = max === Number.MAX_SAFE_INTEGER ? `${min} up` : `${min} to ${max}`;
    throw new InvalidArgumentError(`It must be a whole number from ${range}.`);
  };
}

/** A duration, `30s` or `5m` or a number of ms, in ms. */
export function duration(text: string): number {
  const value = parseDuration(text);
  if (value !== undefined) return value;
  throw new InvalidArgumentError('It must be a duration such as 30s or 5m.');
}
