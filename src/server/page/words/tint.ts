/** The colour of each branch: the same in every view, and different for branches that are seen together. */

/** How many colours there are; `styles/tokens.css` names them `--tint-0-fill`, `--tint-0-edge` and so on. */
export const TINTS = 12;

/** The colour that a branch has by itself: the same in every browser and at every visit. */
export function tintOf(branch: string): number {
  // FNV-1a, which spreads names that differ in one digit.
  let hash = 0x811c9dc5;
  for (let i = 0; i < branch.length; i += 1) {
    hash = Math.imul(hash ^ branch.charCodeAt(i), 0x01000193);
  }
  return ((hash ^ (hash >>> 15)) >>> 0) % TINTS;
}

/**
 * A colour for each of these branches: its own, or the next free one if another branch here has that already. Names that
 * come first have the first choice, so give them in an order that stays.
 */
export function tintsOf(branches: Iterable<string>): Map<string, number> {
  const tints = new Map<string, number>();
  const taken = new Set<number>();
  for (const branch of branches) {
    if (tints.has(branch)) continue;
    let tint = tintOf(branch);
    if (taken.size < TINTS) while (taken.has(tint)) tint = (tint + 1) % TINTS;
    taken.add(tint);
    tints.set(branch, tint);
  }
  return tints;
}
