/**
 * Keeps a mirror from slowing down as it is used: each run adds loose objects, and fetches add packs and refs. They are
 * put together, and nothing is ever dropped, since workspaces rely on objects that no ref may name any more: what git
 * calls garbage collection is not done here.
 */

import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Git, GitOptions } from './git.ts';

/** Loose objects that are let gather; estimated from one of the 256 folders that git spreads them over, as git does. */
const LOOSE_AT_MOST = 4_096;
/** Packs that are let gather. */
export const PACKS_AT_MOST = 40;

/** Refs in files of their own that are let gather: each is read by every run, and by each git that asks for all. */
export const LOOSE_REFS_AT_MOST = 50;

/** Whoever wants to fetch waits meanwhile. */
const TIDY_MS = 300_000;

/** Twice the time that git is given: what was last written to before then belongs to nobody. */
const LEFT_MS = 2 * 3_600_000;
/**
 * What git calls its files while it writes them: of objects, of packs, and of packs that a repack puts together. `git
 * prune` takes the first two away when they are old, and unnamed objects with them, which must stay; the third, nothing
 * does, and where its index is incomplete, no repack succeeds until it is gone.
 */
const TEMPORARY = /^(tmp_|\.tmp-)/;
const FAN_OUT = /^[0-9a-f]{2}$/;

const SAMPLE = '17';
const FOLDERS = 256;

/** What of a mirror should be tidied: its refs alone, or everything. */
export type Untidy = 'refs' | 'all';

/** What a mirror has gathered too much of; `all` also where a killed git has left files of packs. */
export async function untidyOf(dir: string): Promise<Untidy | undefined> {
  const packDir = join(dir, 'objects/pack');
  const [loose, packs] = await Promise.all([namesIn(join(dir, 'objects', SAMPLE)), namesIn(packDir)]);
  if (
    loose.length * FOLDERS > LOOSE_AT_MOST ||
    packs.filter((name) => name.endsWith('.pack')).length > PACKS_AT_MOST ||
    (await leftIn(packDir, packs)).length > 0
  ) {
    return 'all';
  }
  const refs = await readdir(join(dir, 'refs'), { recursive: true, withFileTypes: true }).catch(() => []);
  return refs.filter((entry) => entry.isFile()).length > LOOSE_REFS_AT_MOST ? 'refs' : undefined;
}

/**
 * Puts loose objects and small packs together, reachable or not, and refs into one file, and takes away what a killed git
 * left half written. To be called under the mirror's lock. Each pack is left at least twice as large as the next, so that an
 * object is rewritten only a few times however often this is done, and there are few packs however much there is.
 */
export async function tidy(
  git: Git,
  dir: string,
  { untidy, ...options }: { readonly untidy: Untidy } & Pick<GitOptions, 'env' | 'signal'>,
): Promise<void> {
  const config = [['repack.writeBitmaps', 'false']] as const;
  const bounded = { ...options, gitDir: dir, timeoutMs: TIDY_MS };
  if (untidy === 'all') {
    await removeLeft(join(dir, 'objects'));
    await git(['repack', '--geometric=2', '-d', '-l', '-q'], { ...bounded, config });
  }
  await git(['pack-refs', '--all'], bounded);
}

async function namesIn(folder: string): Promise<string[]> {
  return await readdir(folder).catch(() => []);
}

/** Files and folders that a killed git left in an object store: beside its folders, and in them. */
async function removeLeft(objects: string): Promise<void> {
  const names = await namesIn(objects);
  const folders = names.filter((name) => name === 'pack' || FAN_OUT.test(name)).map((name) => join(objects, name));
  const left = await Promise.all([
    leftIn(objects, names),
    ...folders.map(async (folder) => await leftIn(folder, await namesIn(folder))),
  ]);
  for (const path of left.flat()) await rm(path, { recursive: true, force: true });
}

/** Those of a folder's names that are temporary and old, as paths. */
async function leftIn(folder: string, names: readonly string[]): Promise<string[]> {
  const before = Date.now() - LEFT_MS;
  const paths = names.filter((name) => TEMPORARY.test(name)).map((name) => join(folder, name));
  const found = await Promise.all(paths.map(async (path) => await stat(path).catch(() => undefined)));
  return paths.filter((_path, i) => (found[i]?.mtimeMs ?? before) < before);
}
