/**
 * What a killed process leaves in a mirror: `*.lock` files and a half-written `packed-refs.new` for ever, and git processes
 * that outlive it. Both are dealt with only under the mirror's lock, by one who follows a dead holder or whose own git has
 * failed: until the orphans are gone, a lock file may still be somebody's.
 */

import type { Dirent } from 'node:fs';
import { readdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** Carries the holder's token to the git processes that work under its lock. */
export const LOCK_VARIABLE = 'SIGNALBOX_MIRROR_LOCK';

/** Where processes cannot be looked up, a lock file this old is nobody's. */
const ABANDONED_MS = 3_600_000;

/** Ends the git processes that these holders left, then removes the mirror's lock files. */
export async function clearLeft(mirrorDir: string, tokens: readonly string[]): Promise<void> {
  const known = await endOrphans(tokens);
  const folders = ['', 'objects', 'objects/pack', 'objects/info'].map((name) => join(mirrorDir, name));
  const locks = [
    ...(await Promise.all(folders.map(async (folder) => await lockFiles(folder, false)))).flat(),
    ...(await lockFiles(join(mirrorDir, 'refs'), true)),
  ];
  for (const file of locks) {
    if (known || (await isAbandoned(file))) await rm(file, { force: true });
  }
}

/** Kills every process that carries one of the tokens. False where the system does not show processes. */
async function endOrphans(tokens: readonly string[]): Promise<boolean> {
  const pids = (await readdir('/proc').catch(() => [])).filter((name) => /^\d+$/.test(name));
  if (pids.length === 0) return false;
  const marks = tokens.map((token) => `${LOCK_VARIABLE}=${token}`);
  for (const pid of pids) {
    const variables = await readFile(`/proc/${pid}/environ`, 'utf8').catch(() => '');
    if (marks.some((mark) => variables.split('\0').includes(mark))) await end(Number(pid));
  }
  return true;
}

async function end(pid: number): Promise<void> {
  try {
    process.kill(pid, 'SIGKILL');
    while ((await readFile(`/proc/${pid}/environ`)).length > 0) await new Promise(setImmediate);
  } catch {
    // It is gone: that is what was wanted.
  }
}

async function lockFiles(folder: string, deep: boolean): Promise<string[]> {
  const entries: Dirent[] = await readdir(folder, { withFileTypes: true, recursive: deep }).catch(() => []);
  return entries
    .filter((entry) => entry.isFile() && (entry.name.endsWith('.lock') || entry.name === 'packed-refs.new'))
    .map((entry) => join(entry.parentPath, entry.name));
}

async function isAbandoned(file: string): Promise<boolean> {
  const found = await stat(file).catch(() => undefined);
  return found !== undefined && Date.now() - found.mtimeMs > ABANDONED_MS;
}
