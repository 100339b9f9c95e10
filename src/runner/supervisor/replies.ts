import type { StepResult } from './protocol.ts';

/** What came of a request: done, with a step's result if it was one, or never, because the supervisor has gone. */
export type Reply = { readonly result?: StepResult } | { readonly gone: string };

interface Expected {
  readonly resolve: (reply: Reply) => void;
  seen: boolean;
}

/** How many looks a request must stay unseen. More than one, so that the looker's own pause is not held against it. */
const LOOKS = 4;

/**
 * The requests that wait for their reply.
 *
 * The supervisor says `seen` to each at once. If the oldest is unseen for `timeoutMs`, by as many looks of our own event
 * loop, `onHang` is called. (By the clock alone, a worker that was stopped itself would kill a healthy supervisor
 * before it had read what that had answered.)
 */
export class Replies {
  readonly #timeoutMs: number;
  readonly #onHang: () => void;
  readonly #expected = new Map<number, Expected>();
  #lastId = 0;
  #gone: string | undefined;
  #look: NodeJS.Timeout | undefined;
  #oldestUnseen: number | undefined;
  #looks = 0;

  constructor(timeoutMs: number, onHang: () => void) {
    this.#timeoutMs = timeoutMs;
    this.#onHang = onHang;
  }

  /** Sends a request under a new number and waits for what comes of it. Never rejects. */
  expect(send: (id: number) => void): Promise<Reply> {
    const gone = this.#gone;
    if (gone !== undefined) return Promise.resolve({ gone });
    const id = ++this.#lastId;
    const reply = new Promise<Reply>((resolve) => {
      this.#expected.set(id, { resolve, seen: false });
    });
    this.#look ??= setInterval(() => this.#lookForHang(), this.#timeoutMs / LOOKS);
    send(id);
    return reply;
  }

  /** The supervisor has read this request. */
  seen(id: number): void {
    const expected = this.#expected.get(id);
    if (expected !== undefined) expected.seen = true;
  }

  /** What was asked for is the case. */
  done(id: number, result?: StepResult): void {
    this.#expected.get(id)?.resolve(result === undefined ? {} : { result });
    this.#expected.delete(id);
  }

  /** The supervisor has gone: nothing that was or will be asked gets another reply. */
  abandon(gone: string): void {
    this.#gone = gone;
    clearInterval(this.#look);
    for (const { resolve } of this.#expected.values()) resolve({ gone });
    this.#expected.clear();
  }

  #lookForHang(): void {
    const unseen = [...this.#expected].find(([, { seen }]) => !seen)?.[0];
    this.#looks = unseen !== undefined && unseen === this.#oldestUnseen ? this.#looks + 1 : 0;
    this.#oldestUnseen = unseen;
    if (this.#looks >= LOOKS) this.#onHang();
    if (unseen !== undefined) return;
    clearInterval(this.#look);
    this.#look = undefined;
  }
}
