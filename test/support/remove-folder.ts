/** Removes the folder of a test. */

import { rmSync } from 'node:fs';

const TRIES = 50;
const PAUSE_MS = 100;

/** Removes a folder, also while a process that is about to end still writes there: the remote's part of a held push. */
export function removeFolder(dir: string): void {
  for (let tries = 1; ; tries++) {
    try {
      rmSync(dir, { recursive: true, force: true });
      return;
    } catch (error) {
      if (tries === TRIES) throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, PAUSE_MS);
    }
  }
}
