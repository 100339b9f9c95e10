/** The signals that end a program: the first is a request, the second is impatience. */

/** What has been signalled. */
export interface Signals {
  /** Aborted by the first signal. */
  readonly first: AbortSignal;
  /** Calls `hurry` at every further signal. */
  readonly onSecond: (hurry: () => void) => void;
}

/** Takes SIGTERM, SIGINT and SIGHUP from now on; a closed terminal is a request too. */
export function listenForSignals(): Signals {
  const first = new AbortController();
  let hurry: () => void = () => {};
  const heard = (): void => {
    if (first.signal.aborted) hurry();
    else first.abort();
  };
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, heard);
  return {
    first: first.signal,
    onSecond: (then) => {
      hurry = then;
    },
  };
}

/** Resolves when the signal is aborted. */
export async function untilAborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}
