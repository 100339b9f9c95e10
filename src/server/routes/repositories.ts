/** Repositories as a request names them: where this process was started says nothing to whoever asks. */

import { isAbsolute } from 'node:path';
import type { Signalbox } from '../../client/signalbox.ts';
import { SignalboxError } from '../../errors.ts';
import { shown } from '../../invalid.ts';
import { parseRepository } from '../../task/repository.ts';

/** Throws INVALID for a path that is not absolute. */
export function refuseRelative(repo: string, field: string): void {
  const parsed = parseRepository(repo);
  if (parsed.kind === 'remote' || isAbsolute(parsed.path)) return;
  throw new SignalboxError('INVALID', `\`${field}\` must be an address or an absolute path; given ${shown(repo)}`, {
    field,
    next: 'Give an address such as git@host:team/project.git, or the whole path on the machine of the dashboard.',
  });
}

/** The identity of a repository of which a query is. Throws INVALID. */
export async function identityOf(box: Signalbox, repo: string): Promise<string> {
  refuseRelative(repo, 'repo');
  return await box.identityOf(repo);
}

/** The same for tasks that are there already: a path that is on another machine alone is known by itself. */
export async function identityIfHere(box: Signalbox, repo: string): Promise<string | undefined> {
  refuseRelative(repo, 'repo');
  return await box.identityOf(repo).catch(() => undefined);
}
