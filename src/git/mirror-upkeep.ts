/**
 * Keeps a mirror from slowing down as it is used: each run adds loose objects, and fetches add packs and refs. They are
 * put together, and nothing is ever dropped, since workspaces rely on objects that no ref may name any more: what git
 * calls garbage collection is not done here.
 */

import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Git, GitOptions } from './git.ts';

/** Loose objects that are let gather; estimated from one of the 256 folders that git spreads them over, as git does. */
const LOOSE_AT_MOST = 4_096;
/** Packs that are let gather. */
export const PACKS_AT_MOST = 40;

/** Whoever wants to fetch waits meanwhile. */
const TIDY_MS = 300_000;

const SAMPLE = '17';
const FOLDERS = 256;

/** Whether a mirror has gathered so much that it should be tidied. */
export async function isUntidy(dir: string): Promise<boolean> {
  const [loose, packs] = await Promise.all([
    namesIn(join(dir, 'objects', SAMPLE)),
    namesIn(join(dir, 'objects', 'pack')),
  ]);
  return (
    loose.length * FOLDERS > LOOSE_AT_MOST || packs.filter((name) => name.endsWith('.pack')).length > PACKS_AT_MOST
  );
}

/**
 * Puts loose objects and small packs together, reachable or not, and refs into one file. To be called under the mirror's
 * lock. Each pack is left at least twice as large as the next, so that an object is rewritten only a few times however
 * often this is done, and there are few packs however much there is.
 */
export async function tidy(git: Git, dir: string, options: Pick<GitOptions, 'env' | 'signal'>): Promise<void> {
  const config = [['repack.writeBitmaps', 'false']] as const;
  const bounded = { ...options, gitDir: dir, timeoutMs: TIDY_MS };
  await git(['repack', '--geometric=2', '-d', '-l', '-q'], { ...bounded, config });
  await git(['pack-refs', '--all'], bounded);
}

async function namesIn(folder: string): Promise<string[]> {
  return await readdir(folder).catch(() => []);
}
