/** Refuses what Signalbox cannot do yet, before any work is done: submodules and Git LFS. */

import { SignalboxError } from '../errors.ts';
import type { Mirror, Oid } from './mirror.ts';

/** More than a fleet starts from in a while; then the oldest are found out anew. */
const REMEMBERED = 1_000;

/**
 * Throws `UNSUPPORTED` if the commit has submodules or keeps files in Git LFS. Reads its tree in the mirror, once for
 * all who start from it.
 */
export async function checkSupported(mirror: Mirror, commit: Oid): Promise<void> {
  const { checked } = mirror;
  let check = checked.get(commit);
  if (check === undefined) {
    check = readTree(mirror, commit);
    checked.set(commit, check);
    check.catch(() => checked.delete(commit));
    for (const oldest of checked.keys()) if (checked.size > REMEMBERED) checked.delete(oldest);
  }
  await check;
}

async function readTree({ git, dir }: Mirror, commit: Oid): Promise<void> {
  const { stdout } = await git(['ls-tree', '-r', '-z', '--full-tree', commit], { gitDir: dir });
  const attributes: Oid[] = [];
  for (const entry of stdout.split('\0')) {
    const tab = entry.indexOf('\t');
    const path = entry.slice(tab + 1);
    if (entry.startsWith('160000 ') || path === '.gitmodules') throw submodules(path);
    if (path === '.gitattributes' || path.endsWith('/.gitattributes'))
      attributes.push(entry.slice(0, tab).split(' ')[2] ?? '');
  }
  if (attributes.length === 0) return;
  const contents = await git(['cat-file', '--batch'], { gitDir: dir, input: `${attributes.join('\n')}\n` });
  if (/^[^#\n]*\sfilter=lfs(\s|$)/m.test(contents.stdout)) throw lfs();
}

/** The error for a repository inside the repository. */
export function submodules(path: string): SignalboxError {
  return new SignalboxError('UNSUPPORTED', `submodules are not supported yet: ${JSON.stringify(path)}`, {
    next: 'Run this task on a repository without submodules; a step that clones a repository must put it in an ignored folder.',
    details: { path },
  });
}

function lfs(): SignalboxError {
  return new SignalboxError('UNSUPPORTED', 'Git LFS is not supported yet: a .gitattributes file asks for it', {
    next: 'Run this task on a repository without Git LFS.',
  });
}
