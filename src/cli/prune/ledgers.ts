/** Old ledgers on the remotes of this queue's tasks. */

import { hostname } from 'node:os';
import type { Signalbox } from '../../client/signalbox.ts';
import { processSources } from '../../config/process.ts';
import { resolveRepository } from '../../git/identity.ts';
import { type OldLedger, pruneLedgers } from '../../git/old-ledgers.ts';
import { isTerminal } from '../../task/states.ts';
import { readError } from '../errors.ts';
import { userGit } from '../git.ts';

/** What became of the ledgers of one remote. */
export interface PrunedRemote {
  readonly url: string;
  readonly ledgers: readonly OldLedger[];
  /** Why it could not be looked at, or null. */
  readonly problem: string | null;
}

/** Takes old ledgers away from the remotes of all tasks that are kept, and from `repo`. One that fails stops no other. */
export async function pruneRemotes(
  box: Signalbox,
  { repo, dryRun }: { readonly repo: string | undefined; readonly dryRun: boolean },
): Promise<PrunedRemote[]> {
  const git = userGit();
  const { queue, ledgerRetentionMs } = box.config;
  const before = new Date(Date.now() - ledgerRetentionMs);
  const unfinished = async (ids: readonly string[]): Promise<Set<string>> => {
    const records = await box.queue.store.getMany(ids);
    return new Set(records.filter(({ state }) => !isTerminal(state)).map(({ id }) => id));
  };
  const pruned: PrunedRemote[] = [];
  for (const url of await remotesOf(box, repo)) {
    try {
      pruned.push({
        url,
        ledgers: await pruneLedgers(git, { url, queue, before, unfinished, dryRun }),
        problem: null,
      });
    } catch (error) {
      pruned.push({ url, ledgers: [], problem: readError(error).message });
    }
  }
  return pruned;
}

async function remotesOf({ queue }: Signalbox, repo: string | undefined): Promise<Set<string>> {
  const records = await queue.store.getMany(await queue.store.ids({}));
  const reachable = records.filter(({ repoHost }) => repoHost === null || repoHost === hostname());
  const named = repo === undefined ? [] : [(await resolveRepository(userGit(), repo, processSources().cwd)).url];
  return new Set([...named, ...reachable.map(({ repo: url }) => url)]);
}
