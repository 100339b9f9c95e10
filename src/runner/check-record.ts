/**
 * What a record says beside its task's envelope, read as strictly: anybody who can write to Redis can have written it.
 * Where it was signed, this only concerns what runs have noted since.
 */

import { SignalboxError } from '../errors.ts';
import { shown } from '../invalid.ts';
import type { TaskRecord } from '../queue/record.ts';
import { branchProblem } from '../task/branches.ts';
import { claimPathProblem } from '../task/paths.ts';
import { repositoryProblem } from '../task/repository.ts';

const NUMBERS = ['rank', 'sequence', 'run', 'attempts', 'maxAttempts', 'crashes', 'yields'] as const;

/** Throws `INVALID` naming the field that cannot be what Signalbox wrote. */
export function checkRecord(record: TaskRecord): void {
  const { branch, repo, repoHost, repoKey, base, grown, resume } = record;
  refuseIf(branchProblem(branch), 'branch', branch);
  // A folder of one host is named as the file system names it.
  if (repoHost === null || !repo.startsWith('/')) refuseIf(repositoryProblem(repo), 'repo', repo);
  if (repoKey === '') refuseIf('must not be empty', 'repoKey', repoKey);
  if (base !== null && !base.startsWith('task:')) refuseIf(branchProblem(base), 'base', base);
  for (const path of grown) {
    if (typeof path !== 'string') refuseIf('must hold paths', 'grown', path);
    else refuseIf(claimPathProblem(path), 'grown', path);
  }
  for (const field of NUMBERS) if (!Number.isFinite(record[field])) refuseIf('must be a number', field, record[field]);
  // Another task's work, or any other file, must not be published as this one's.
  if (resume !== null && !isOwnPatch(record, resume))
    refuseIf('must be a patch of an earlier run of the task', 'resume', resume);
}

function isOwnPatch({ id, run }: TaskRecord, path: string): boolean {
  const [, of, number] = /^artifacts\/([^/]+)\/run-(\d+)\/[\w-]+\.patch$/.exec(path) ?? [];
  return of === id && Number(number) <= run;
}

function refuseIf(problem: string | undefined, field: string, given: unknown): void {
  if (problem === undefined) return;
  throw new SignalboxError('INVALID', `the record's \`${field}\` ${problem}; given ${shown(given)}`, {
    field,
    next: 'Submit the task again.',
  });
}
