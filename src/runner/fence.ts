/** The fence as a run meets it: taken before the checkout is made, and held up to every push. */

import { SignalboxError } from '../errors.ts';
import { type Fenced, type FencedAnswer, takeToken } from '../git/fence.ts';
import type { Mirror, Oid } from '../git/mirror.ts';
import { findLanding, findPublication } from '../git/published.ts';
import { baseOf } from './base.ts';
import { type Ending, failed } from './ending.ts';
import type { Run } from './run.ts';

/** A push that is proven not to have happened is done again by the same run; then the remote is left in peace. */
const PUSHES = 3;

/**
 * Takes the run's token in the task's ledger, which cuts off every earlier run. If the task is published already the
 * run is stopped, whatever Redis remembers, and this rejects.
 */
export async function takeFence(run: Run, mirror: Mirror): Promise<void> {
  const { record, number, runnerId, services, signal } = run;
  // A worker that was stopped for long must not cut off its successor.
  if (!run.claim.isHeld) run.stop('lease_lost');
  signal.throwIfAborted();
  const writer = { queue: services.config.queue, taskId: record.id, run: number, runnerId };
  const answer = await takeToken(mirror, writer, signal);
  const published = answer.kind === 'published' ? answer.commit : undefined;
  run.published = published ?? (answer.kind === 'branch' ? ((await earlierByTrailer(run, mirror)) ?? null) : null);
  if (run.published !== null) run.stop('published');
  signal.throwIfAborted();
  if (answer.kind === 'published') return;
  run.fence = answer;
  if (answer.kind === 'ledger') {
    run.progress.write({ fence: 'ledger', fenceToken: answer.token });
    services.events.emit({ type: 'fence.taken', ...run.progress.facts, token: answer.token });
  } else {
    run.progress.write({ fence: `branch: ${answer.why}`, fenceToken: null });
    services.events.emit({ type: 'fence.unavailable', ...run.progress.facts, reason: answer.why });
  }
}

/** How a push was pre-empted: the run ends. */
export interface Ended {
  readonly kind: 'ended';
  readonly ending: Ending;
}

/**
 * Pushes under the run's fence: again where it is certain that nothing happened, and not at all once a newer run has
 * the ledger. What cannot be decided ends this run; the next one begins by reading the ledger.
 */
export async function publishUnderFence<T extends { readonly kind: string }>(
  run: Run,
  push: (fenced: Fenced & { readonly signal: AbortSignal }) => Promise<T>,
): Promise<Exclude<T, { kind: 'cut_off' | 'undone' }> | Ended> {
  const { services, signal } = run;
  const { events } = services;
  const onDoubt = (error: unknown): void => {
    events.emit({ type: 'publish.doubtful', ...run.progress.facts, reason: messageOf(error) });
  };
  for (let pushes = 1; ; pushes++) {
    if (run.fence === undefined) throw new Error('a run without a fence has nothing to publish');
    const answer: T | FencedAnswer | Ended = await push({ fence: run.fence, onDoubt, signal }).catch((error: unknown) =>
      notPublished(run, error),
    );
    if (!isUndecided(answer)) return answer as Exclude<T, { kind: 'cut_off' | 'undone' }> | Ended;
    if (answer.kind === 'cut_off') {
      events.emit({ type: 'fence.refused', ...run.progress.facts, reason: answer.message });
      return { kind: 'ended', ending: { kind: 'stopped', why: 'cut_off' } };
    }
    run.fence = answer.fence;
    if (answer.fence.kind === 'ledger') run.progress.write({ fenceToken: answer.fence.token });
    signal.throwIfAborted();
    if (pushes === PUSHES) return notPublished(run, answer.error);
  }
}

function isUndecided(answer: {
  readonly kind: string;
}): answer is Extract<FencedAnswer, { kind: 'cut_off' | 'undone' }> {
  return answer.kind === 'cut_off' || answer.kind === 'undone';
}

/** A push that came to nothing is tried again by another run, which first looks whether this one landed after all. */
function notPublished(run: Run, error: unknown): Ended {
  if (run.signal.aborted || !(error instanceof SignalboxError)) throw error;
  return { kind: 'ended', ending: failed('publish_rejected', `${error.message} ${error.next}`) };
}

/** Where the remote keeps no ledger: what an earlier run has published, told by the trailers of its commits. */
async function earlierByTrailer(
  { task, record, number, services, signal }: Run,
  mirror: Mirror,
): Promise<Oid | undefined> {
  if (number === 1) return undefined;
  if (task.publish === 'push') return await findPublication(mirror, { ...record, signal });
  const base = await baseOf(record, services.queue.store);
  return await findLanding(mirror, { id: record.id, base: base?.name, signal });
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
