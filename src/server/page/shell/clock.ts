/** The time on the screen, second by second while somebody looks. */

import { signal } from '@preact/signals';

/** Now, by the dashboard's clock; ms since the epoch. */
export const now = signal(Date.now());

let aheadMs = 0;

/** Takes over the dashboard's time, so that a visitor's wrong clock makes no wrong ages. */
export function setServerTime(at: number): void {
  aheadMs = at - Date.now();
  now.value = at;
}

/** Lets the time go on. */
export function startClock(): void {
  const tick = (): void => {
    if (!document.hidden) now.value = Date.now() + aheadMs;
  };
  setInterval(tick, 1_000);
  document.addEventListener('visibilitychange', tick);
}
