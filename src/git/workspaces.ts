/** Folders on this disk: taking them away, counting them. */

import { chmod, lstat, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { controlDir } from './control.ts';

/** Deletes a workspace and its control folder, also where a step has taken write permission away. */
export async function removeWorkspace(dir: string): Promise<void> {
  for (const path of [dir, controlDir(dir)]) await removeTree(path);
}

/** What a folder takes on disk, in bytes; 0 if it does not exist. Links are not followed. */
export async function diskBytes(path: string): Promise<number> {
  const found = await lstat(path).catch(() => undefined);
  if (found === undefined) return 0;
  const own = found.blocks * 512;
  if (!found.isDirectory()) return own;
  let total = own;
  for (const name of await readdir(path).catch(() => [])) total += await diskBytes(join(path, name));
  return total;
}

/** Deletes a folder and all in it, also where write permission was taken away. */
export async function removeTree(path: string): Promise<void> {
  const options = { recursive: true, force: true, maxRetries: 3, retryDelay: 50 };
  try {
    await rm(path, options);
  } catch {
    await makeWritable(path);
    await rm(path, options);
  }
}

/** Gives every folder back its owner's permissions; a file needs none to be deleted. */
async function makeWritable(path: string): Promise<void> {
  await chmod(path, 0o700).catch(() => {});
  const entries = await readdir(path, { withFileTypes: true }).catch(() => []);
  for (const entry of entries) if (entry.isDirectory()) await makeWritable(join(path, entry.name));
}
