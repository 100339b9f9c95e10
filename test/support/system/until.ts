import { setTimeout as delay } from 'node:timers/promises';

const POLL_MS = 25;
/** Generous: a condition that is never met fails its test, one that is met late on a busy machine does not. */
const PATIENCE_MS = 60_000;

/** Waits until `condition` answers something true, and answers it; throws, naming what was waited for, if it never does. */
export async function until<T>(
  what: string,
  condition: () => T | Promise<T>,
  timeoutMs = PATIENCE_MS,
): Promise<NonNullable<T>> {
  const giveUpAt = performance.now() + timeoutMs;
  for (;;) {
    const answer = await condition();
    if (answer !== undefined && answer !== null && answer !== false) return answer;
    if (performance.now() > giveUpAt) throw new Error(`waited for ${timeoutMs} ms in vain until ${what}`);
    await delay(POLL_MS);
  }
}
