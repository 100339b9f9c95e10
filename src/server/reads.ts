/**
 * Reads that many ask for at once, made once. Whoever asks while one is under way does not get that one, which may have
 * seen less than has happened since, but shares the next one with all who come meanwhile. So nobody gets an answer older
 * than the question, and there is never more than one read of a kind at a time, however many ask.
 */

interface Flight {
  readonly now: Promise<unknown>;
  next?: Promise<unknown>;
}

/** Shares reads by key. */
export class Reads {
  readonly #flights = new Map<string, Flight>();
  readonly #kept = new Map<string, { readonly until: number; readonly value: Promise<unknown> }>();

  /** What `read` answers, begun after this call. */
  async share<T>(key: string, read: () => Promise<T>): Promise<T> {
    const flight = this.#flights.get(key);
    if (flight === undefined) return await this.#start<T>(key, read);
    flight.next ??= flight.now.then(
      async () => await this.#start(key, read),
      async () => await this.#start(key, read),
    );
    return await (flight.next as Promise<T>);
  }

  /** The same, or what it answered at most `forMs` ago. */
  async keep<T>(key: string, forMs: number, read: () => Promise<T>): Promise<T> {
    const kept = this.#kept.get(key);
    const now = performance.now();
    if (kept !== undefined && kept.until > now) return await (kept.value as Promise<T>);
    for (const [old, { until }] of this.#kept) if (until <= now) this.#kept.delete(old);
    const value = this.share(key, read);
    this.#kept.set(key, { until: now + forMs, value });
    value.catch(() => this.#kept.delete(key));
    return await value;
  }

  #start<T>(key: string, read: () => Promise<T>): Promise<T> {
    const now = read();
    const flight: Flight = { now };
    this.#flights.set(key, flight);
    const clear = (): void => {
      // The next one has taken its place if anybody waits.
      if (flight.next === undefined && this.#flights.get(key) === flight) this.#flights.delete(key);
    };
    now.then(clear, clear);
    return now;
  }
}
