/** Removes leftovers; work in a checkout that was never published is saved first. */

import { rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { removeAbandoned } from '../../runner/run-folder.ts';
import { userGit } from '../git.ts';
import type { Leftover } from './leftovers.ts';

/** Removes one; answers where the work that was in it was saved, or null. Throws what the file system says. */
export async function remove(leftover: Leftover, dataDir: string): Promise<string | null> {
  if (leftover.kind === 'run') {
    const file = join(dataDir, 'rescued', `${basename(leftover.path)}.patch`);
    return await removeAbandoned(userGit(), leftover.run, () => file);
  }
  await rm(leftover.path, { recursive: true, force: true });
  return null;
}
