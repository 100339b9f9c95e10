/** How many wrong tokens an address may try: a few at once, then one every few seconds. */

interface Attempts {
  left: number;
  at: number;
}

const BURST = 10;
const REFILL_MS = 3_000;
/** The oldest are forgotten: who comes from so many addresses is not held up by this. */
const MAX_ADDRESSES = 1_000;

/** Counts wrong tokens by address. */
export class FailedAttempts {
  readonly #byAddress = new Map<string, Attempts>();
  readonly #now: () => number;

  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** How long an address must wait before its next try, in ms; 0 if it need not. */
  waitMs(address: string): number {
    const { left, at } = this.#current(address);
    return left >= 1 ? 0 : Math.ceil((1 - left) * REFILL_MS - (this.#now() - at));
  }

  /** Counts a wrong token. */
  failed(address: string): void {
    const { left } = this.#current(address);
    this.#byAddress.delete(address);
    this.#byAddress.set(address, { left: Math.max(0, left - 1), at: this.#now() });
    if (this.#byAddress.size <= MAX_ADDRESSES) return;
    const [oldest] = this.#byAddress.keys();
    if (oldest !== undefined) this.#byAddress.delete(oldest);
  }

  #current(address: string): Attempts {
    const now = this.#now();
    const seen = this.#byAddress.get(address);
    if (seen === undefined) return { left: BURST, at: now };
    return { left: Math.min(BURST, seen.left + (now - seen.at) / REFILL_MS), at: now };
  }
}
