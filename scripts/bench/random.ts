/** Random numbers from a seed, so that a measurement can be repeated on the same tasks. */

/** Numbers from 0 to below 1. */
export type Random = () => number;

/** The generator "mulberry32": 32 bits of state, good enough to draw tasks. */
export function seeded(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Draws from 0 to `count` − 1, the k-th in proportion to 1 / k^`exponent`: 0 is even, above 1 a few get nearly all. */
export function zipf(random: Random, count: number, exponent: number): () => number {
  const sums: number[] = [];
  let sum = 0;
  for (let k = 1; k <= count; k += 1) sums.push((sum += k ** -exponent));
  return () => {
    const drawn = random() * sum;
    let from = 0;
    let to = count - 1;
    while (from < to) {
      const middle = (from + to) >> 1;
      if (drawn < (sums[middle] ?? 0)) to = middle;
      else from = middle + 1;
    }
    return from;
  };
}
