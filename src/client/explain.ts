/** Why a task waits, or how it ended, and what its owner can do: `explain`. */

import type { TaskRecord } from '../queue/record.ts';
import type { TaskQueue } from '../queue/task-queue.ts';
import { explanationOf } from '../task/outcomes.ts';
import { isTerminal, type Outcome, type TaskState } from '../task/states.ts';
import { type EstimateParts, type Estimates, estimateStarts } from './estimate.ts';
import { blockedWords, queuedWords, runningWords, scheduledWords, type Words } from './explain-words.ts';
import type { Blocker, ChainLink, Standing, WaitingTicket, World } from './standing.ts';
import { readWorldOf } from './world.ts';

/** What `explain` answers. */
export interface Explanation {
  readonly id: string;
  readonly state: TaskState;
  readonly summary: string;
  /** What it waits for, the obstacle that its ticket is filed under first. */
  readonly blockedBy: readonly Blocker[];
  /** Place in line, from 1, among all that want what it waits for; null when it is not in line. */
  readonly position: number | null;
  readonly ahead: readonly string[];
  /** Who waits for what, beginning with this task. */
  readonly chain: readonly ChainLink[];
  /** From how long such tasks took before; null when nobody can tell. */
  readonly estimatedStartAt: string | null;
  readonly next: string;
}

const NOT_IN_LINE = { blockedBy: [], position: null, ahead: [], chain: [], estimatedStartAt: null } as const;

/** Explains a task. Throws NOT_FOUND or TASK_LOST. */
export async function explain(parts: EstimateParts, id: string): Promise<Explanation> {
  const explained = (await explainMany(parts, [id])).get(id);
  if (explained instanceof Error) throw explained;
  return explained as Explanation;
}

/**
 * Explains some tasks by one look at the queue: as many as ask at once cost little more than one. Answers the error of
 * those that cannot be explained, NOT_FOUND or TASK_LOST.
 */
export async function explainMany(
  parts: EstimateParts,
  ids: readonly string[],
): Promise<Map<string, Explanation | Error>> {
  const { queue } = parts;
  const answers = new Map<string, Explanation | Error>();
  const open: string[] = [];
  const seen = new Map((await queue.store.getMany(ids)).map((record) => [record.id, record]));
  for (const id of new Set(ids)) {
    const record = seen.get(id);
    // How it ended does not change any more, and needs no look at the queue.
    if (record !== undefined && isTerminal(record.state)) answers.set(id, ended(record));
    else open.push(id);
  }
  if (open.length === 0) return answers;
  const { world, standing } = await readWorldOf(queue, open);
  const waiting = open.filter(
    (id) => standing.ticket(id) !== undefined || ['queued', 'blocked'].includes(seen.get(id)?.state ?? ''),
  );
  const look: Look = { parts, standing, estimates: await estimatesOf(parts, waiting, world) };
  for (const id of open) answers.set(id, await explainOne(look, id).catch(asError));
  return answers;
}

interface Look {
  readonly parts: EstimateParts;
  readonly standing: Standing;
  readonly estimates: Estimates | undefined;
}

async function estimatesOf(parts: EstimateParts, ids: readonly string[], world: World): Promise<Estimates | undefined> {
  return ids.length === 0 ? undefined : await estimateStarts(parts, { ids, world });
}

async function explainOne({ parts: { queue }, standing, estimates }: Look, id: string): Promise<Explanation> {
  // Later than the ticket, so that a task that has ended meanwhile is not said to wait.
  const record = await queue.get(id);
  const { state } = record;
  const ticket = standing.ticket(id);
  if (isTerminal(state)) return ended(record);
  if (ticket === undefined && state !== 'queued' && state !== 'blocked') {
    const words =
      state === 'running' ? await runningStory(queue, record, standing) : await scheduledWords(queue, record);
    return { id, state, ...NOT_IN_LINE, ...words };
  }
  const wait = estimates?.inMs.get(id);
  const estimatedStartAt =
    estimates === undefined || wait === undefined ? null : new Date(estimates.now + wait).toISOString();
  if (ticket === undefined || ticket.state === 'granted') {
    return { id, state, ...NOT_IN_LINE, estimatedStartAt, ...(await queuedWords(queue, record, ticket !== undefined)) };
  }
  return { id, state, ...inLine(ticket, standing), estimatedStartAt };
}

function ended(record: TaskRecord): Explanation {
  return { id: record.id, state: record.state, ...NOT_IN_LINE, ...endWords(record) };
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}

type InLine = Words & Pick<Explanation, 'blockedBy' | 'position' | 'ahead' | 'chain'>;

function inLine(ticket: WaitingTicket, standing: Standing): InLine {
  const blockedBy = standing.blockersOf(ticket);
  const ahead = standing.aheadOf(ticket).map(({ id }) => id);
  const chain = standing.chainOf(ticket);
  return { blockedBy, position: ahead.length + 1, ahead, chain, ...blockedWords({ ticket, blockedBy, ahead, chain }) };
}

async function runningStory(
  queue: TaskQueue,
  record: TaskRecord,
  standing: Standing,
): Promise<Partial<InLine> & Words> {
  const growth = record.runnerId === null ? [] : standing.growthBlockersOf(record.runnerId);
  return { blockedBy: growth, ...(await runningWords(queue, record, growth)) };
}

function endWords({ state, code, error, id, retryOf, conflicts }: TaskRecord): Words {
  const words = explanationOf({ state, code } as Outcome);
  const why = error === null ? '' : ` (${error})`;
  const last = code === 'conflict' || code === 'wait_timeout' ? conflicts.at(-1)?.holderTaskId : null;
  return {
    summary: `${words.summary.replace(/\.$/, '')}${why}.`,
    next: [
      words.next,
      ...(last === null || last === undefined ? [] : [`See who had it with \`signalbox show ${last}\`.`]),
      ...(state === 'succeeded' ? [] : [`\`signalbox retry ${id}\` runs it again as a new task.`]),
      ...(retryOf === null || state === 'succeeded' ? [] : [`It was itself a retry of ${retryOf}.`]),
    ].join(' '),
  };
}
