/**
 * Server-sent events for as long as somebody looks at the page. A browser keeps six connections to one address, for all
 * of its tabs together: were each tab to hold one for its events, the seventh would get no answer to anything.
 *
 * A browser connects again by itself after a lost connection, but not after a refusal; then it is done here, more and
 * more slowly.
 */

/** For a moment in another tab nothing is closed. */
const UNSEEN_MS = 3_000;
const FIRST_RETRY_MS = 1_000;
const LAST_RETRY_MS = 15_000;

/** The page, as far as it says whether somebody sees it: `document`. */
export interface SeenPage extends EventTarget {
  readonly hidden: boolean;
}

/** Events from an address, over one connection after the other. */
export class Stream {
  readonly #address: string;
  readonly #page: SeenPage;
  readonly #listen: (source: EventSource) => void;
  #source: EventSource | undefined;
  #retryMs = FIRST_RETRY_MS;
  #retry: ReturnType<typeof setTimeout> | undefined;
  #leave: ReturnType<typeof setTimeout> | undefined;

  /** Connects; `listen` is given each connection, before it is open. */
  constructor(address: string, page: SeenPage, listen: (source: EventSource) => void) {
    this.#address = address;
    this.#page = page;
    this.#listen = listen;
    page.addEventListener('visibilitychange', this.#seenOrNot);
    this.connect();
  }

  /** Connects anew, at once; if nobody sees the page, when somebody does. */
  connect(): void {
    this.#disconnect();
    if (this.#page.hidden) return;
    const source = new EventSource(this.#address);
    source.addEventListener('open', () => {
      this.#retryMs = FIRST_RETRY_MS;
    });
    source.addEventListener('error', () => this.#failed(source));
    this.#listen(source);
    this.#source = source;
  }

  /** Ends it for good. */
  close(): void {
    this.#page.removeEventListener('visibilitychange', this.#seenOrNot);
    clearTimeout(this.#leave);
    this.#disconnect();
  }

  readonly #seenOrNot = (): void => {
    clearTimeout(this.#leave);
    if (this.#page.hidden) this.#leave = setTimeout(() => this.#disconnect(), UNSEEN_MS);
    else if (this.#source === undefined) this.connect();
  };

  #failed(source: EventSource): void {
    if (source !== this.#source || source.readyState !== EventSource.CLOSED) return;
    clearTimeout(this.#retry);
    this.#retry = setTimeout(() => this.connect(), this.#retryMs);
    this.#retryMs = Math.min(LAST_RETRY_MS, this.#retryMs * 2);
  }

  #disconnect(): void {
    clearTimeout(this.#retry);
    this.#source?.close();
    this.#source = undefined;
  }
}
