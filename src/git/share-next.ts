import { orAborted } from './or-aborted.ts';

/** One go of shared work: begun or not, with those who wait for it. */
interface Round<T> {
  readonly result: Promise<T>;
  readonly begin: () => void;
  readonly abandoned: AbortController;
  waiters: number;
}

/**
 * Lets callers who arrive together share one piece of work that began after each of them asked. Whoever comes while
 * it runs waits for the next one: what it would have brought may be older than the question. A caller may leave by its
 * signal; when the last one has left, the signal of the work is aborted, so that what hangs holds up nobody.
 */
export function shareNext<T>(work: (abandoned: AbortSignal) => Promise<T>): (signal?: AbortSignal) => Promise<T> {
  let running: Round<T> | undefined;
  let next: Round<T> | undefined;

  function begin(round: Round<T>): void {
    if (next === round) next = undefined;
    running = round;
    round.begin();
  }

  function open(): Round<T> {
    const round = newRound(work);
    const over = (): void => {
      running = undefined;
      if (next !== undefined) begin(next);
    };
    round.result.then(over, over);
    if (running === undefined) begin(round);
    else next = round;
    return round;
  }

  return async (signal) => {
    const round = next ?? open();
    round.waiters += 1;
    try {
      return await orAborted(round.result, signal);
    } finally {
      round.waiters -= 1;
      if (round.waiters === 0) {
        round.abandoned.abort();
        // Nobody who comes later shall share what is given up.
        if (next === round) next = undefined;
      }
    }
  };
}

function newRound<T>(work: (abandoned: AbortSignal) => Promise<T>): Round<T> {
  const abandoned = new AbortController();
  let begin = (): void => {};
  const begun = new Promise<void>((resolve) => {
    begin = resolve;
  });
  return { result: begun.then(async () => await work(abandoned.signal)), begin, abandoned, waiters: 0 };
}
