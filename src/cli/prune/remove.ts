/** Removes leftovers; work in a checkout that was never published is saved first. */

import { basename, join } from 'node:path';
import { processSources } from '../../config/process.ts';
import type { TaskQueue } from '../../queue/task-queue.ts';
import { type Leftover, removeOldFiles } from '../../runner/leftovers.ts';
import { removeAbandoned } from '../../runner/run-folder.ts';
import { knownSecrets } from '../../runner/secrets.ts';
import { userGit } from '../git.ts';

/** Removes one; answers where the work that was in it was saved, or null. Throws what the file system says. */
export async function remove(
  leftover: Leftover,
  { dataDir, queue, before }: { readonly dataDir: string; readonly queue: TaskQueue; readonly before: Date },
): Promise<string | null> {
  if (leftover.kind === 'run') {
    const { env } = processSources();
    return await removeAbandoned(userGit(), leftover.run, {
      fileFor: () => join(dataDir, 'rescued', `${basename(leftover.path)}.patch`),
      secretsOf: async ({ taskId }) => await knownSecrets(taskId, queue, env),
    });
  }
  await removeOldFiles(leftover, before);
  return null;
}
