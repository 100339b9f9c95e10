/** Something of the API on the screen: loaded, kept fresh while it is seen, and kept when the dashboard goes away. */

import { useEffect, useRef, useState } from 'preact/hooks';
import { onChange } from './live.ts';
import { RequestError } from './request.ts';
import type { StateChange } from './shapes.ts';

/** What has been loaded so far. `data` stays when a later load fails. */
export interface Loaded<T> {
  readonly data: T | undefined;
  readonly error: RequestError | undefined;
  readonly reload: () => void;
}

/** When to load again, beside when asked. */
export interface LoadAgain {
  /** By the clock, for what changes without a change of state, such as a lease's age. */
  readonly everyMs?: number;
  /** At which changes; default all. */
  readonly at?: (change: StateChange) => boolean;
  /** Whether not at all, for what is over. */
  readonly isFinal?: boolean;
}

interface State<T> {
  readonly key: string;
  readonly data: T | undefined;
  readonly error: RequestError | undefined;
}

/** Many changes in a moment are one reason to load. */
const GAP_MS = 600;

/** Loads at once, whenever `key` changes, and again as told. */
export function useLoad<T>(
  key: string,
  load: (signal: AbortSignal) => Promise<T>,
  { everyMs = 15_000, at = () => true, isFinal = false }: LoadAgain = {},
): Loaded<T> {
  const [state, setState] = useState<State<T>>({ key, data: undefined, error: undefined });
  const latest = useRef({ load, at });
  latest.current = { load, at };
  const again = useRef((): void => undefined);

  useEffect(() => {
    const loader = new Loader<T>(
      async (signal) => await latest.current.load(signal),
      (news) =>
        setState((before) => ({
          key,
          data: news.data ?? (before.key === key ? before.data : undefined),
          error: news.error,
        })),
    );
    again.current = () => loader.soon(0);
    loader.soon(0);
    if (isFinal) return () => loader.stop();
    const stop = onChange((change) => {
      if (change === 'all' || latest.current.at(change)) loader.soon(GAP_MS);
    });
    const clock = setInterval(() => loader.soon(0), everyMs);
    const seen = (): void => loader.soon(0);
    document.addEventListener('visibilitychange', seen);
    return () => {
      stop();
      clearInterval(clock);
      document.removeEventListener('visibilitychange', seen);
      loader.stop();
    };
  }, [key, everyMs, isFinal]);

  const isCurrent = state.key === key;
  return {
    data: isCurrent ? state.data : undefined,
    error: isCurrent ? state.error : undefined,
    reload: () => again.current(),
  };
}

/** One load at a time; one that is asked for meanwhile follows it. Nothing is loaded for a page that nobody sees. */
class Loader<T> {
  readonly #load: (signal: AbortSignal) => Promise<T>;
  readonly #tell: (news: { data?: T; error?: RequestError }) => void;
  readonly #stopped = new AbortController();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isLoading = false;
  #isAskedAgain = false;

  constructor(load: (signal: AbortSignal) => Promise<T>, tell: (news: { data?: T; error?: RequestError }) => void) {
    this.#load = load;
    this.#tell = tell;
  }

  soon(delayMs: number): void {
    if (this.#isLoading) this.#isAskedAgain = true;
    else if (delayMs === 0 && !document.hidden) void this.#now();
    else this.#timer ??= setTimeout(() => this.soon(0), Math.max(delayMs, GAP_MS));
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#stopped.abort();
  }

  async #now(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const { signal } = this.#stopped;
    if (signal.aborted) return;
    this.#isLoading = true;
    try {
      const data = await this.#load(signal);
      if (!signal.aborted) this.#tell({ data });
    } catch (error) {
      if (!signal.aborted) this.#tell({ error: asRequestError(error) });
    } finally {
      this.#isLoading = false;
      if (this.#isAskedAgain) this.soon(GAP_MS);
      this.#isAskedAgain = false;
    }
  }
}

function asRequestError(error: unknown): RequestError {
  if (error instanceof RequestError) return error;
  const message = error instanceof Error ? error.message : String(error);
  return new RequestError(`The page could not show this: ${message}`, {
    status: -1,
    code: 'page',
    next: 'Reload the page. If it happens again, please report it.',
  });
}
