/** What a run changed outside its claims, and what its task says should become of that. */

import { coverage } from '../claims/claim-set.ts';
import { claimPathProblem } from '../task/paths.ts';
import { type Ending, failedForGood } from './ending.ts';
import { grow } from './growth.ts';
import type { Run } from './run.ts';

/** How many paths an event or a message names. */
const NAMED_PATHS = 20;

/** Once the work is done: says what was not declared, and ends the run if its task does not allow that. */
export function judgeUndeclared(run: Run): Ending | undefined {
  const paths = undeclared(run);
  if (paths.length === 0) return undefined;
  const named = paths.slice(0, NAMED_PATHS);
  run.services.events.emit({ type: 'undeclared.changed', ...run.progress.facts, paths: named, count: paths.length });
  if (run.task.claims.undeclared !== 'fail') return undefined;
  const more = paths.length > named.length ? ` and ${paths.length - named.length} more` : '';
  return failedForGood(
    'implement_failed',
    `it changed files outside its claims: ${named.join(', ')}${more}. Declare them in \`claims.write\`.`,
  );
}

/** Before anything is published: claims what was changed. Throws the run's stop if an older task has it. */
export async function claimUndeclared(run: Run): Promise<void> {
  if (run.task.claims.undeclared !== 'claim') return;
  const paths = undeclared(run);
  if (paths.length > 0) await grow(run, { write: [...new Set(paths.map(claimable))], read: [] });
}

function undeclared({ spec, result }: Run): string[] {
  const isClaimed = coverage(spec.write);
  return result.filesChanged.filter((path) => !isClaimed(path));
}

/** A file's own path, or the folder above it whose name can be claimed: more is safe. */
function claimable(path: string): string {
  for (let at = path; at !== ''; at = at.slice(0, Math.max(0, at.lastIndexOf('/')))) {
    if (claimPathProblem(at) === undefined) return at;
  }
  return '**';
}
