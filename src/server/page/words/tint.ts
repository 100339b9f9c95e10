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
 * Gives branches their colours: each its own, or the next one that none of those that were new last has. So no two
 * branches that came up together look alike, and a branch keeps its colour in all views.
 */
export class Tints {
  readonly #given = new Map<string, number>();
  /** The colours given last, as many as differ from each other. */
  #latest: number[] = [];

  /** The colour of a branch. */
  of(branch: string): number {
    const before = this.#given.get(branch);
    if (before !== undefined) return before;
    let tint = tintOf(branch);
    while (this.#latest.includes(tint)) tint = (tint + 1) % TINTS;
    this.#latest = [...this.#latest, tint].slice(-(TINTS - 1));
    this.#given.set(branch, tint);
    return tint;
  }
}

/** The page's colours. */
export const tints = new Tints();
