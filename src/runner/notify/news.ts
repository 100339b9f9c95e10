/** What is told about a task: small, and nothing of it but names. Pure. */

import type { News } from '../../config/webhooks.ts';
import type { TaskRecord } from '../../queue/record.ts';
import { explanationOf } from '../../task/outcomes.ts';
import type { Outcome } from '../../task/states.ts';

/** News about a task. */
export interface Announcement {
  readonly kind: News;
  readonly id: string;
  readonly body: string;
}

/** What of a task's record is told, and the queue that it is in. */
type About = Pick<
  TaskRecord,
  'id' | 'state' | 'code' | 'title' | 'repo' | 'branch' | 'owner' | 'finishedAt' | 'conflicts'
>;

/** The news that a task has ended; undefined for an end that nobody is told of. */
export function endOf(record: About, queue: string): Announcement | undefined {
  const kind = kindOf(record);
  if (kind === undefined) return undefined;
  const { summary, next } = explanationOf({ state: record.state, code: record.code } as Outcome);
  const again = kind === 'succeeded' ? [] : [`See how with \`signalbox explain ${record.id}\`.`];
  const words = { summary, next: [next, ...again].join(' ') };
  return announce({ kind, id: `task.${kind}.${record.id}`, atMs: record.finishedAt ?? 0 }, words, { record, queue });
}

/** The news that a task has been blocked since `sinceMs` and still is. */
export function blockedFor(record: About, sinceMs: number, queue: string): Announcement {
  const conflict = record.conflicts.at(-1);
  const holder = conflict?.holderTaskId ? `, which task ${conflict.holderTaskId} holds` : '';
  const words = {
    summary: `The task waits for ${conflict?.resource ?? 'what others hold'}${holder}.`,
    next: `See who waits for whom with \`signalbox explain ${record.id}\`.`,
  };
  const facts = { kind: 'blocked', id: `task.blocked.${record.id}.${sinceMs}`, atMs: sinceMs } as const;
  return announce(facts, words, { record, queue });
}

/** A task that crashed its workers or is none was set aside: running it again changes nothing. */
function kindOf({ state, code }: About): News | undefined {
  if (state === 'succeeded') return 'succeeded';
  if (state !== 'failed') return undefined;
  return code === 'crashed' || code === 'invalid' ? 'set_aside' : 'failed';
}

function announce(
  { kind, id, atMs }: { readonly kind: News; readonly id: string; readonly atMs: number },
  words: { readonly summary: string; readonly next: string },
  { record, queue }: { readonly record: About; readonly queue: string },
): Announcement {
  const { id: taskId, state, code, title, repo, branch, owner } = record;
  const task = { id: taskId, state, code, title, repo, branch, owner };
  const body = JSON.stringify({ type: `task.${kind}`, at: new Date(atMs).toISOString(), queue, task, ...words });
  return { kind, id, body };
}
