/**
 * Reads and moves a workspace's HEAD without git: git would read the configuration beside it, which a task can write.
 * Only plain files inside `.git` are followed, no symbolic links.
 */

import { randomUUID } from 'node:crypto';
import { lstat, mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { damaged } from './control.ts';
import type { Oid } from './mirror.ts';

/** Where HEAD points: its commit (undefined on a branch without one) and its branch's full ref unless detached. */
export interface Head {
  readonly oid: Oid | undefined;
  readonly ref: string | undefined;
}

const OID = /^[0-9a-f]{40}(?:[0-9a-f]{24})?$/;
const SYMBOLIC = /^ref: (refs\/heads\/[^\s~^:?*[\\]+)$/;

/** Reads HEAD. Throws `WORKSPACE` when it cannot be read or leads anywhere but to a branch or a commit. */
export async function readHead(dir: string): Promise<Head> {
  const gitDir = join(dir, '.git');
  const text = await readPlain(gitDir, 'HEAD');
  if (text === undefined) throw damaged('.git/HEAD', 'is missing');
  if (OID.test(text)) return { oid: text, ref: undefined };
  const ref = SYMBOLIC.exec(text)?.[1];
  if (ref === undefined || ref.split('/').some((part) => part === '..' || part === '.' || part === '')) {
    throw damaged('.git/HEAD', 'names neither a commit nor a branch');
  }
  const loose = await readPlain(gitDir, ref);
  if (loose !== undefined && !OID.test(loose)) throw damaged(`.git/${ref}`, 'does not name a commit');
  return { oid: loose ?? (await readPacked(gitDir, ref)), ref };
}

/** Moves the branch that HEAD is on, or a detached HEAD, to `oid`. Replaces files whole, follows no link. */
export async function writeHead(dir: string, head: Head, oid: Oid): Promise<void> {
  const gitDir = join(dir, '.git');
  const name = head.ref ?? 'HEAD';
  const file = join(gitDir, name);
  await checkFolders(gitDir, name);
  await mkdir(dirname(file), { recursive: true });
  const draft = join(gitDir, `signalbox-${randomUUID()}`);
  await writeFile(draft, `${oid}\n`, { flag: 'wx' });
  await rename(draft, file);
}

async function readPlain(gitDir: string, name: string): Promise<string | undefined> {
  await checkFolders(gitDir, name);
  const file = join(gitDir, name);
  const found = await lstat(file).catch(() => undefined);
  if (found === undefined || found.isDirectory()) return undefined;
  if (!found.isFile()) throw damaged(`.git/${name}`, 'is not a plain file');
  return (await readFile(file, 'utf8')).trim();
}

async function readPacked(gitDir: string, ref: string): Promise<Oid | undefined> {
  const packed = (await readPlain(gitDir, 'packed-refs')) ?? '';
  const line = packed.split('\n').find((entry) => entry.endsWith(` ${ref}`));
  const oid = line?.slice(0, line.indexOf(' ')) ?? '';
  return OID.test(oid) ? oid : undefined;
}

/** Every folder on the way that exists must be one: a link could lead out of the workspace. */
async function checkFolders(gitDir: string, name: string): Promise<void> {
  const parts = name.split('/').slice(0, -1);
  for (let depth = 1; depth <= parts.length; depth++) {
    const folder = parts.slice(0, depth).join('/');
    const found = await lstat(join(gitDir, folder)).catch(() => undefined);
    if (found !== undefined && !found.isDirectory()) throw damaged(`.git/${folder}`, 'is not a folder');
  }
}
