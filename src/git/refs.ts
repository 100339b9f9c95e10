/**
 * Reads the refs of a repository that is ours, without a process: a run needs them several times, and what a process
 * costs is what it would mostly wait for. Loose files count before `packed-refs`, and are read first: git packs a ref
 * before it removes its file, so that none is missed.
 */

import type { Dirent } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { noneIfGone } from './gone.ts';
import type { Oid } from './mirror.ts';

const OID = /^[0-9a-f]{40}(?:[0-9a-f]{24})?$/;

/** What each ref below these folders (`refs/heads`) is at, by its full name, sorted. An annotated tag is at its tag object. */
export async function readRefs(gitDir: string, folders: readonly string[]): Promise<ReadonlyMap<string, Oid>> {
  const loose = (await Promise.all(folders.map(async (folder) => await looseRefs(gitDir, folder)))).flat();
  const refs = new Map<string, Oid>();
  const prefixes = folders.map((folder) => `${folder}/`);
  for (const line of (await textOf(join(gitDir, 'packed-refs'))).split('\n')) {
    const end = line.indexOf(' ');
    const name = line.slice(end + 1);
    if (OID.test(line.slice(0, end)) && prefixes.some((prefix) => name.startsWith(prefix)))
      refs.set(name, line.slice(0, end));
  }
  for (const [name, oid] of loose) refs.set(name, oid);
  return new Map([...refs].sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** What one ref is at. */
export async function readRef(gitDir: string, name: string): Promise<Oid | undefined> {
  const loose = (await textOf(join(gitDir, name))).trim();
  if (OID.test(loose)) return loose;
  const line = (await textOf(join(gitDir, 'packed-refs'))).split('\n').find((entry) => entry.endsWith(` ${name}`));
  const oid = line?.slice(0, line.indexOf(' ')) ?? '';
  return OID.test(oid) ? oid : undefined;
}

async function looseRefs(gitDir: string, folder: string): Promise<[string, Oid][]> {
  const entries: Dirent[] = await readdir(join(gitDir, folder), { withFileTypes: true }).catch(noneIfGone([]));
  const found: [string, Oid][] = [];
  // One after the other: there may be thousands, and files that are open at once are counted.
  for (const entry of entries) {
    const name = `${folder}/${entry.name}`;
    if (entry.isDirectory()) found.push(...(await looseRefs(gitDir, name)));
    if (!entry.isFile() || entry.name.endsWith('.lock')) continue;
    const oid = (await textOf(join(gitDir, name))).trim();
    if (OID.test(oid)) found.push([name, oid]);
  }
  return found;
}

/** Empty for a file that is not there: a ref that has been packed or deleted meanwhile. */
async function textOf(file: string): Promise<string> {
  return await readFile(file, 'utf8').catch(noneIfGone(''));
}
