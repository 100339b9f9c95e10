/**
 * Writes small objects into a repository of ours as git does: loose, whole before they have their name. For a ledger's
 * entries, of which a run makes two: by git it would take two processes each.
 */

import { createHash, randomUUID } from 'node:crypto';
import { mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { deflate, inflate } from 'node:zlib';
import type { Oid } from './mirror.ts';

/** By which hash a repository names its objects. */
export type ObjectFormat = 'sha1' | 'sha256';

/** The format of a repository whose configuration git has written. */
export async function objectFormat(gitDir: string): Promise<ObjectFormat> {
  const config = await readFile(join(gitDir, 'config'), 'utf8');
  return /^\s*objectformat\s*=\s*sha256\s*$/im.test(config) ? 'sha256' : 'sha1';
}

/** Who a commit is by, in UTC. */
export interface CommitParts {
  readonly tree: Oid;
  readonly parents: readonly Oid[];
  readonly author: { readonly name: string; readonly email: string };
  readonly at: Date;
  readonly message: string;
}

/** Writes a tree without entries; answers its name. */
export async function writeEmptyTree(gitDir: string, format: ObjectFormat): Promise<Oid> {
  return await writeObject(gitDir, { kind: 'tree', content: '', format });
}

/** Writes a commit; answers its name. */
export async function writeCommit(gitDir: string, format: ObjectFormat, parts: CommitParts): Promise<Oid> {
  const { tree, parents, author, at, message } = parts;
  const who = `${author.name} <${author.email}> ${Math.floor(at.getTime() / 1_000)} +0000`;
  const heads = [`tree ${tree}`, ...parents.map((parent) => `parent ${parent}`), `author ${who}`, `committer ${who}`];
  return await writeObject(gitDir, { kind: 'commit', content: `${heads.join('\n')}\n\n${message}`, format });
}

/** Whether a repository has this commit in a file of its own; false for everything else that it may be, packed too. */
export async function isLooseCommit(gitDir: string, oid: Oid): Promise<boolean> {
  const file = await readFile(join(gitDir, 'objects', oid.slice(0, 2), oid.slice(2))).catch(() => undefined);
  if (file === undefined) return false;
  const object = await promisify(inflate)(file).catch(() => undefined);
  return object instanceof Buffer && object.subarray(0, 7).toString() === 'commit ';
}

interface NewObject {
  readonly kind: 'commit' | 'tree';
  readonly content: string;
  readonly format: ObjectFormat;
}

async function writeObject(gitDir: string, { kind, content, format }: NewObject): Promise<Oid> {
  const body = Buffer.from(content);
  const whole = Buffer.concat([Buffer.from(`${kind} ${body.length}\0`), body]);
  const oid = createHash(format).update(whole).digest('hex');
  const folder = join(gitDir, 'objects', oid.slice(0, 2));
  const file = join(folder, oid.slice(2));
  if ((await stat(file).catch(() => undefined)) !== undefined) return oid;
  // As git calls its own drafts.
  const draft = join(folder, `tmp_obj_${randomUUID().slice(0, 8)}`);
  const packed = await promisify(deflate)(whole);
  try {
    await writeInto(folder, draft, packed).catch(async (error: unknown) => {
      // Whoever tidies the mirror takes empty folders away.
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      await writeInto(folder, draft, packed);
    });
    await rename(draft, file);
  } finally {
    await rm(draft, { force: true });
  }
  return oid;
}

async function writeInto(folder: string, file: string, content: Buffer): Promise<void> {
  await mkdir(folder, { recursive: true });
  await writeFile(file, content, { flag: 'wx', mode: 0o444 });
}
