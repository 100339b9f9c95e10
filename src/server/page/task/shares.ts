/** How wide each phase is drawn. Pure. */

/** No phase is so short that its name could not be read beside the others. */
const LEAST = 0.08;

/** The shares of these lengths in their sum, none less than a least one; they add up to 1. */
export function sharesOf(lengths: readonly number[]): number[] {
  const sum = lengths.reduce((all, length) => all + length, 0);
  if (sum === 0) return lengths.map(() => 1 / lengths.length);
  const raised = lengths.map((length) => Math.max(LEAST, length / sum));
  const all = raised.reduce((total, share) => total + share, 0);
  return raised.map((share) => share / all);
}
