/**
 * Ends of tasks that no run of theirs can vouch for: cancelled, refused or set aside after a run whose worker died. Such
 * a run may have published, or its push may still be under way, so the ledger in the remote has the last word: either it
 * says that the task is published, or it is extended, and nothing of that run is let in any more.
 */

import { takeToken } from '../git/fence.ts';
import type { Oid } from '../git/mirror.ts';
import type { RecordFields, TaskRecord } from '../queue/record.ts';
import type { Refusal } from '../queue/refusal.ts';
import type { Finished, Writer } from '../queue/store.ts';
import type { Outcome, TaskState } from '../task/states.ts';
import { type Final, finishedEvent } from './report.ts';
import type { Services } from './services.ts';

/** How a task is to end, unless it turns out to be published. */
export interface LastEnd {
  readonly writer: Writer;
  readonly outcome: Outcome;
  readonly reason: string;
  readonly fields?: RecordFields;
  /** For the event. */
  readonly final?: Partial<Final>;
}

/** What became of earlier runs. `nothing`: none has published, and none can any more; `unknown`: the remote does not say. */
export type LastWord =
  | { readonly kind: 'published'; readonly commit: Oid }
  | { readonly kind: 'nothing' }
  | { readonly kind: 'unknown' };

const NOTHING: LastWord = { kind: 'nothing' };

const OPEN: readonly TaskState[] = ['queued', 'scheduled', 'blocked', 'running'];

/** A remote that hangs must not keep a slot for long, nor an end. */
const PATIENCE_MS = 30_000;
/** In the history of a task whose success was found late. */
export const PUBLISHED = 'an earlier run had published it';
/** What is added to the reason of an end when the remote did not say. */
export const UNKNOWN = '; whether an earlier run has published is not known, since the remote did not say';

/** Ends a task for which no run is under way. Answers what it ended as, or why it could not be ended. */
export async function endWithoutRun(
  record: TaskRecord,
  end: LastEnd,
  services: Services,
): Promise<(Finished & { readonly outcome: Outcome }) | Refusal> {
  const word = await lastWord(record, services);
  const told = toldBy(end, word);
  const { outcome, reason, fields } = told;
  const finished = await services.queue.finish(record.id, end.writer, { outcome, reason, fields, from: OPEN });
  if (finished.kind !== 'ok') return finished;
  const error = outcome.state === 'succeeded' ? null : (end.final?.error ?? null);
  services.events.emit(finishedEvent(record, outcome, { ...end.final, commit: told.commit, error }));
  return { ...finished, outcome };
}

/** Asks the ledger, and cuts off whatever an earlier run may still send. Without a ledger there is nobody to ask. */
export async function lastWord(record: TaskRecord, services: Services): Promise<LastWord> {
  if (record.fence !== 'ledger' || record.run === 0) return NOTHING;
  const signal = AbortSignal.timeout(PATIENCE_MS);
  const writer = {
    queue: services.config.queue,
    taskId: record.id,
    run: record.run,
    runnerId: record.runnerId ?? services.workerId,
  };
  try {
    const mirror = await services.mirrors.open({ key: record.repoKey, url: record.repo }, signal);
    const answer = await takeToken(mirror, writer, signal);
    return answer.kind === 'published' ? answer : NOTHING;
  } catch {
    return { kind: 'unknown' };
  }
}

function toldBy({ outcome, reason, fields = {} }: LastEnd, word: LastWord) {
  if (word.kind === 'published') {
    const published: Outcome = { state: 'succeeded', code: null };
    const { commit } = word;
    return { outcome: published, reason: PUBLISHED, fields: { ...fields, commit, error: null }, commit };
  }
  return { outcome, reason: word.kind === 'unknown' ? `${reason}${UNKNOWN}` : reason, fields, commit: null };
}
