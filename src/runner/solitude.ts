/**
 * Lets one run be alone in its worker. A task whose worker has died so often that one more death would set it aside
 * runs alone, so that only its own doing can be held against it: a readers-writer lock, first come first served.
 */
export class Solitude {
  #inside = 0;
  #alone = false;
  readonly #queue: { readonly alone: boolean; readonly enter: () => void }[] = [];

  /** Waits for a place, alone or beside others; disposing of the answer leaves it. */
  async enter(alone: boolean): Promise<Disposable> {
    if (this.#queue.length > 0 || !this.#hasPlace(alone)) {
      await new Promise<void>((enter) => this.#queue.push({ alone, enter }));
    } else {
      this.#take(alone);
    }
    let left = false;
    return {
      [Symbol.dispose]: () => {
        if (left) return;
        left = true;
        this.#leave();
      },
    };
  }

  #hasPlace(alone: boolean): boolean {
    return !this.#alone && (!alone || this.#inside === 0);
  }

  #take(alone: boolean): void {
    this.#inside += 1;
    this.#alone = alone;
  }

  #leave(): void {
    this.#inside -= 1;
    this.#alone = false;
    for (let next = this.#queue[0]; next !== undefined && this.#hasPlace(next.alone); next = this.#queue[0]) {
      this.#queue.shift();
      this.#take(next.alone);
      next.enter();
    }
  }
}
