/** Mirrors that no run has needed for long: each can be had from its remote again. */

import { randomUUID } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, stat, utimes } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { noneIfGone } from './gone.ts';
import { withProcessLock } from './process-lock.ts';

/** Notes that a mirror is in use: its lock's folder, which outlives it, is as old as the last use. */
export async function noteUse(mirrorDir: string): Promise<void> {
  const now = new Date();
  await mkdir(`${mirrorDir}.lock`, { recursive: true });
  await utimes(`${mirrorDir}.lock`, now, now).catch(() => {});
}

/** The mirrors of a data folder that were last used before then, and whose objects no checkout here borrows. */
export async function unusedMirrors(dataDir: string, before: Date): Promise<string[]> {
  const root = join(dataDir, 'mirrors');
  const names = (await readdir(root).catch(() => [])).filter((name) => name.endsWith('.git'));
  const borrowed = await borrowedObjects(dataDir);
  const unused: string[] = [];
  for (const name of names) {
    const dir = join(root, name);
    // By its name: another worker may spell the data folder otherwise.
    const isBorrowed = borrowed.some((objects) => basename(dirname(objects)) === name);
    if (!isBorrowed && (await lastUse(dir)) < before) unused.push(dir);
  }
  return unused;
}

/** Takes an unused mirror away, unless somebody has begun to use it again; answers whether it is gone. */
export async function removeMirror(mirrorDir: string, before: Date): Promise<boolean> {
  // Read before the lock is taken, which changes its folder.
  if ((await lastUse(mirrorDir)) >= before) return false;
  const aside = `${mirrorDir}.draft-${randomUUID()}`;
  // Moved aside first, so that a mirror that exists is a whole one.
  // Somebody else may have removed it first.
  await withProcessLock(`${mirrorDir}.lock`, async () => await rename(mirrorDir, aside).catch(noneIfGone(undefined)));
  await rm(aside, { recursive: true, force: true });
  return true;
}

async function lastUse(mirrorDir: string): Promise<Date> {
  const found = (await stat(`${mirrorDir}.lock`).catch(() => undefined)) ?? (await stat(mirrorDir));
  return found.mtime;
}

/** What the checkouts of runs on this disk borrow, those of dead workers included. */
async function borrowedObjects(dataDir: string): Promise<string[]> {
  const root = join(dataDir, 'runs');
  const runs = await readdir(root).catch(() => []);
  const texts = runs.map(
    async (run) =>
      await readFile(join(root, run, 'workspace.git/objects/info/alternates'), 'utf8').catch(noneIfGone('')),
  );
  return (await Promise.all(texts)).flatMap((text) => text.split('\n'));
}
