/** Whether an earlier run of a task has reached its branch or base: told by the trailers that the runner's commits carry. */

import type { Mirror, Oid } from './mirror.ts';
import { type BaseRequest, resolveBase } from './start-point.ts';

/** How far back from the tip is looked: others may have pushed on top meanwhile, on a base more than on a branch. */
const DEPTH = { branch: 100, base: 2_000 };

/** Which task on which branch. */
interface Sought {
  readonly id: string;
  /** Short branch name. */
  readonly branch: string;
  readonly signal: AbortSignal;
}

/**
 * The newest commit on the remote's branch that carries the task's trailer. A push whose answer was lost may have
 * landed, and a second publication must not follow it. A commit that a step made itself carries none and is not found.
 */
export async function findPublication(mirror: Mirror, { id, branch, signal }: Sought): Promise<Oid | undefined> {
  await mirror.fetch(signal);
  const tip = await mirror.resolve(`refs/heads/${branch}`);
  return tip === undefined ? undefined : newestOf(mirror, { id, tip, depth: DEPTH.branch });
}

/** The same on base, for a task that lands: its commit there has another name than the one that was tested first. */
export async function findLanding(
  mirror: Mirror,
  { id, base, signal }: BaseRequest & { id: string },
): Promise<Oid | undefined> {
  await mirror.fetch(signal);
  const tip = (await resolveBase(mirror, { base, signal }))?.oid;
  return tip === undefined ? undefined : newestOf(mirror, { id, tip, depth: DEPTH.base });
}

/** The newest commit with the task's trailer. */
async function newestOf(
  { git, dir }: Mirror,
  { id, tip, depth }: { id: string; tip: Oid; depth: number },
): Promise<Oid | undefined> {
  const format = '--format=%H %(trailers:key=Signalbox-Task,valueonly,separator=%x2C)';
  const { stdout } = await git(['log', `--max-count=${depth}`, format, '--end-of-options', tip], { gitDir: dir });
  const lines = stdout.split('\n').map((line) => line.split(' '));
  return lines.find(([, ids = '']) => ids.split(',').includes(id))?.[0];
}
