/**
 * Takes away what workers of this host have left behind when they died, and saves the work that was in it; and once an
 * hour what has been on the disk for too long.
 */

import { join } from 'node:path';
import { findOldFiles, removeOldFiles } from './leftovers.ts';
import { abandonedRuns, removeAbandoned, type Saving } from './run-folder.ts';
import { knownSecrets } from './secrets.ts';
import type { Services } from './services.ts';
import { removeDeadCgroups } from './supervisor/cgroup.ts';

const SWEEP_EVERY_MS = 1_000;
/** What is old stays so: this is looked for rarely, and not by a worker that lives for a moment. */
const FIRST_UPKEEP_MS = 60_000;
const UPKEEP_EVERY_MS = 3_600_000;

/** Sweeps the data folder now and every second, until the answer is called, which waits for a sweep under way. */
export function startSweeping(services: Services): () => Promise<void> {
  let stopped = false;
  let timer: NodeJS.Timeout | undefined;
  let sweeping: Promise<void>;
  let upkeepAtMs = performance.now() + FIRST_UPKEEP_MS;
  const tidy = async (): Promise<void> => {
    await sweep(services);
    if (performance.now() < upkeepAtMs) return;
    upkeepAtMs = performance.now() + UPKEEP_EVERY_MS;
    await removeOld(services);
  };
  const round = (): void => {
    // While Redis is away nobody can be proven dead; what cannot be removed is for `signalbox prune`.
    sweeping = tidy().catch(() => {});
    void sweeping.then(() => {
      if (!stopped) timer = setTimeout(round, SWEEP_EVERY_MS);
    });
  };
  round();
  return async () => {
    stopped = true;
    clearTimeout(timer);
    await sweeping;
  };
}

async function sweep({ config, git, queue, leftBehind, env }: Services): Promise<void> {
  await removeDeadCgroups();
  const saving: Saving = {
    fileFor: ({ taskId, run }) => join(config.dataDir, 'artifacts', taskId, `run-${run}`, 'unpublished.patch'),
    secretsOf: async ({ taskId }) => await knownSecrets(taskId, queue, env),
  };
  for (const abandoned of await abandonedRuns(config.dataDir, queue, leftBehind))
    await removeAbandoned(git, abandoned, saving);
}

/** Takes away what has been on this disk for too long; one thing that cannot go stops no other. */
export async function removeOld({ config, queue }: Pick<Services, 'config' | 'queue'>): Promise<void> {
  const before = new Date(Date.now() - config.diskRetentionMs);
  for (const old of await findOldFiles(config.dataDir, queue, before))
    await removeOldFiles(old, before).catch(() => {});
}
