/** Takes away what workers of this host have left behind when they died, and saves the work that was in it. */

import { join } from 'node:path';
import { abandonedRuns, removeAbandoned, type Saving } from './run-folder.ts';
import { knownSecrets } from './secrets.ts';
import type { Services } from './services.ts';
import { removeDeadCgroups } from './supervisor/cgroup.ts';

const SWEEP_EVERY_MS = 1_000;

/** Sweeps the data folder now and every second, until the answer is called, which waits for a sweep under way. */
export function startSweeping(services: Services): () => Promise<void> {
  let stopped = false;
  let timer: NodeJS.Timeout | undefined;
  let sweeping: Promise<void>;
  const round = (): void => {
    // While Redis is away nobody can be proven dead; what cannot be removed is for `signalbox prune`.
    sweeping = sweep(services).catch(() => {});
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
