/** Refuses what Signalbox cannot do yet, before any work is done: submodules and Git LFS. */

import { SignalboxError } from '../errors.ts';
import type { Git } from './git.ts';
import type { Oid } from './mirror.ts';

/** Throws `UNSUPPORTED` if the commit has submodules or keeps files in Git LFS. Reads its tree once, in the mirror. */
export async function checkSupported(git: Git, mirrorDir: string, commit: Oid): Promise<void> {
  const { stdout } = await git(['ls-tree', '-r', '-z', '--full-tree', commit], { gitDir: mirrorDir });
  const attributes: Oid[] = [];
  for (const entry of stdout.split('\0')) {
    const tab = entry.indexOf('\t');
    const path = entry.slice(tab + 1);
    if (entry.startsWith('160000 ') || path === '.gitmodules') throw submodules(path);
    if (path === '.gitattributes' || path.endsWith('/.gitattributes'))
      attributes.push(entry.slice(0, tab).split(' ')[2] ?? '');
  }
  if (attributes.length === 0) return;
  const contents = await git(['cat-file', '--batch'], { gitDir: mirrorDir, input: `${attributes.join('\n')}\n` });
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
