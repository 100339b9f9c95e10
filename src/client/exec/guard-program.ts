/**
 * The guard's life, in the process that `startGuard` makes: it kills the command and all that it has started when the
 * deadline passes that its parent feeds, or when the parent has gone without a word.
 *
 * A claim ends by itself when its holder is killed or stopped; the command must not go on beside the next holder then.
 */

import { type Deadline, hasPassed } from '../../runner/supervisor/clock.ts';
import { killTree } from '../../runner/supervisor/process-tree.ts';

/** What the parent tells: until when the claim is sure and, once it runs, the command; or that the command has ended. */
export type GuardNews = { readonly deadline: Deadline; readonly pid: number | undefined } | 'done';

const LOOK_EVERY_MS = 50;

/** Guards the command that is marked with `runId`; resolves when it has ended, one way or the other. */
export async function guardUntilDone(runId: string): Promise<void> {
  let known: Exclude<GuardNews, 'done'> | undefined;
  const mustKill = await new Promise<boolean>((resolve) => {
    process.on('message', (news) => {
      if (news === 'done') resolve(false);
      else known = news as typeof known;
    });
    process.once('disconnect', () => resolve(true));
    setInterval(() => known !== undefined && hasPassed(known.deadline) && resolve(true), LOOK_EVERY_MS);
    if (process.connected) process.send?.('ready', undefined, undefined, () => {});
    else resolve(true);
  });
  if (mustKill) await killTree({ runId, pid: known?.pid });
}
