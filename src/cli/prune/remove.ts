/** Removes leftovers; work in a checkout that was never published is saved first. */

import { rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { processSources } from '../../config/process.ts';
import type { TaskQueue } from '../../queue/task-queue.ts';
import { removeAbandoned } from '../../runner/run-folder.ts';
import { knownSecrets } from '../../runner/secrets.ts';
import { userGit } from '../git.ts';
import type { Leftover } from './leftovers.ts';

/** Removes one; answers where the work that was in it was saved, or null. Throws what the file system says. */
export async function remove(
  leftover: Leftover,
  { dataDir, queue }: { readonly dataDir: string; readonly queue: TaskQueue },
): Promise<string | null> {
  if (leftover.kind === 'run') {
    const { env } = processSources();
    return await removeAbandoned(userGit(), leftover.run, {
      fileFor: () => join(dataDir, 'rescued', `${basename(leftover.path)}.patch`),
      secretsOf: async ({ taskId }) => await knownSecrets(taskId, queue, env),
    });
  }
  await rm(leftover.path, { recursive: true, force: true });
  return null;
}
