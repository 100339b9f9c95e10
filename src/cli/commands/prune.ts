/** `signalbox prune`: takes away what no live runner owns on this machine. */

import { command } from '../command.ts';
import { bytesText, countText, table } from '../format.ts';
import { findLeftovers, type Leftover } from '../prune/leftovers.ts';
import { remove } from '../prune/remove.ts';

interface PruneOptions {
  readonly dryRun?: boolean;
}

/** `savedTo`: the patch with the work that was in it, if there was any. */
interface Removed {
  readonly kind: Leftover['kind'];
  readonly path: string;
  readonly bytes: number;
  readonly savedTo: string | null;
}

/** Removes leftovers in the data folder. */
export const prune = command<PruneOptions>({
  name: 'prune',
  summary: 'remove what no live runner owns from this machine’s data folder',
  details: `That is: folders of dead runners, clones that were cut off, artifacts of tasks that this queue
no longer keeps. Workers do this by themselves when another on their machine dies; what is left is what
nobody was there for. Work that was never published is saved as a patch in rescued/ of the data folder.
What a live process owns is never touched, nor artifacts of other queues or of tasks that Redis has lost.`,
  json: '{dryRun,bytes,removed:[{kind,path,bytes,savedTo}]}',
  examples: ['signalbox prune --dry-run', 'signalbox prune'],
  options: (made) => made.option('--dry-run', 'only say what would be removed'),
  run: async ({ options, out, connect }) => {
    const dryRun = options.dryRun === true;
    await using box = await connect();
    const { dataDir } = box.config;
    const removed: Removed[] = [];
    for (const leftover of await findLeftovers(dataDir, box.queue)) {
      const { kind, path, bytes } = leftover;
      removed.push({ kind, path, bytes, savedTo: dryRun ? null : await remove(leftover, dataDir) });
    }
    const bytes = removed.reduce((sum, leftover) => sum + leftover.bytes, 0);
    out.data({ dryRun, bytes, removed }, () =>
      removed.length === 0
        ? ''
        : table(
            out.paint,
            ['kind', 'size', 'path', 'work saved to'],
            removed.map((one) => [one.kind, bytesText(one.bytes), one.path, one.savedTo ?? '']),
          ),
    );
    if (!out.json) out.note(summary({ count: removed.length, bytes, dryRun, dataDir }));
    return undefined;
  },
});

interface Summary {
  readonly count: number;
  readonly bytes: number;
  readonly dryRun: boolean;
  readonly dataDir: string;
}

function summary({ count, bytes, dryRun, dataDir }: Summary): string {
  if (count === 0) return `Nothing to remove in ${dataDir}.`;
  return `${dryRun ? 'Would remove' : 'Removed'} ${countText(count, 'folder')}, ${bytesText(bytes)}, from ${dataDir}.`;
}
