/** From the files that an agent names to paths in their checkouts. */

import { realpath } from 'node:fs/promises';
import { basename, dirname, join, relative, resolve, sep } from 'node:path';
import type { Git } from '../../git/git.ts';

/** Files of one checkout, relative to it. */
export interface CheckoutFiles {
  readonly checkout: string;
  readonly paths: readonly string[];
}

/** The files by checkout, links resolved. What lies in no checkout, or in git's own folder, is left out. */
export async function byCheckout(git: Git, files: readonly string[], cwd: string): Promise<CheckoutFiles[]> {
  const found = new Map<string, string[]>();
  for (const file of files) {
    const real = await realFile(resolve(cwd, file));
    const checkout = await topLevel(git, await existing(dirname(real)));
    if (checkout === undefined) continue;
    const path = relative(checkout, real).split(sep).join('/');
    if (path === '.git' || path.startsWith('.git/') || path.startsWith('../')) continue;
    found.set(checkout, [...(found.get(checkout) ?? []), path]);
  }
  return [...found].map(([checkout, paths]) => ({ checkout, paths }));
}

/** Of a file that is yet to be made, the real place of the folder that is there, and the rest as named. */
async function realFile(file: string): Promise<string> {
  const real = await realpath(file).catch(() => undefined);
  if (real !== undefined) return real;
  const above = dirname(file);
  return above === file ? file : join(await realFile(above), basename(file));
}

/** The nearest folder at or above it that is there. */
async function existing(folder: string): Promise<string> {
  const real = await realpath(folder).catch(() => undefined);
  return real ?? (dirname(folder) === folder ? folder : await existing(dirname(folder)));
}

async function topLevel(git: Git, cwd: string): Promise<string | undefined> {
  const { exitCode, stdout } = await git(['rev-parse', '--show-toplevel'], { cwd, allow: [128] });
  const path = stdout.replace(/\n$/, '');
  return exitCode === 0 && path !== '' ? path : undefined;
}
