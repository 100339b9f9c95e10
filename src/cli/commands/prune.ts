/** `signalbox prune`: takes away what no live runner owns on this machine, and what is old on the remotes. */

import { findLeftovers, type Leftover } from '../../runner/leftovers.ts';
import { command } from '../command.ts';
import { bytesText, countText, table } from '../format.ts';
import { type PrunedRemote, pruneRemotes } from '../prune/ledgers.ts';
import { remove } from '../prune/remove.ts';

interface PruneOptions {
  readonly dryRun?: boolean;
  readonly repo?: string;
}

/** `savedTo`: the patch with the work that was in it, if there was any. */
interface Removed {
  readonly kind: Leftover['kind'] | 'ledger';
  /** A ledger's is its ref, after the address of its remote. */
  readonly path: string;
  readonly bytes: number;
  readonly savedTo: string | null;
}

/** Removes leftovers in the data folder, and old ledgers. */
export const prune = command<PruneOptions>({
  name: 'prune',
  summary: 'remove what no live runner owns from this machine, and old ledgers from remotes',
  details: `That is: folders of dead runners, clones that were cut off and checkouts that nobody came for (both after
2 h), artifacts of tasks that this queue no longer keeps or that ended more than \`diskRetention\` ago, and
mirrors that no run has used for that long. Workers do this by themselves, when another on their machine
dies and once an hour; what is left is what nobody was there for. Work that was never published is saved
as a patch in rescued/ of the data folder. What a live process owns is never touched, nor artifacts of
other queues or of tasks that Redis has lost.

On the remotes of this queue’s tasks, ledgers (refs/signalbox/task/ID) go once \`ledgerRetention\` has
passed since their last entry and their task has ended: until then they keep a task from being published
twice, whatever becomes of Redis.`,
  json: '{dryRun,bytes,removed:[{kind,path,bytes,savedTo}],problems:[{repo,message}]}',
  examples: ['signalbox prune --dry-run', 'signalbox prune'],
  options: (made) =>
    made
      .option('--dry-run', 'only say what would be removed')
      .option('--repo <repo>', 'look at this remote too, of which no task may be known any more'),
  run: async ({ options, out, connect }) => {
    const dryRun = options.dryRun === true;
    await using box = await connect();
    const { dataDir, diskRetentionMs } = box.config;
    const before = new Date(Date.now() - diskRetentionMs);
    const removed: Removed[] = [];
    for (const leftover of await findLeftovers(dataDir, box.queue, before)) {
      const { kind, path, bytes } = leftover;
      removed.push({
        kind,
        path,
        bytes,
        savedTo: dryRun ? null : await remove(leftover, { dataDir, queue: box.queue, before }),
      });
    }
    const remotes = await pruneRemotes(box, { repo: options.repo, dryRun });
    removed.push(...remotes.flatMap(ledgersOf));
    const problems = remotes.flatMap(({ url, problem }) => (problem === null ? [] : [{ repo: url, message: problem }]));
    const bytes = removed.reduce((sum, leftover) => sum + leftover.bytes, 0);
    out.data({ dryRun, bytes, removed, problems }, () =>
      removed.length === 0
        ? ''
        : table(
            out.paint,
            ['kind', 'size', 'path', 'work saved to'],
            removed.map((one) => [one.kind, bytesText(one.bytes), one.path, one.savedTo ?? '']),
          ),
    );
    if (!out.json) {
      for (const { repo, message } of problems) out.note(`${repo} was left as it is: ${message}`);
      out.note(summary({ removed, bytes, dryRun, dataDir }));
    }
    return undefined;
  },
});

function ledgersOf({ url, ledgers }: PrunedRemote): Removed[] {
  return ledgers.map(({ ref }) => ({ kind: 'ledger', path: `${url} ${ref}`, bytes: 0, savedTo: null }));
}

interface Summary {
  readonly removed: readonly Removed[];
  readonly bytes: number;
  readonly dryRun: boolean;
  readonly dataDir: string;
}

function summary({ removed, bytes, dryRun, dataDir }: Summary): string {
  const ledgers = removed.filter(({ kind }) => kind === 'ledger').length;
  const folders = removed.length - ledgers;
  const did = dryRun ? 'Would remove' : 'Removed';
  const local =
    folders === 0
      ? `Nothing to remove in ${dataDir}.`
      : `${did} ${countText(folders, 'folder')}, ${bytesText(bytes)}, from ${dataDir}.`;
  return ledgers === 0 ? local : `${local} ${did} ${countText(ledgers, 'old ledger')} from remotes.`;
}
