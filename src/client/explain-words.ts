/** The sentences of `explain`: what a task waits for, and what its owner can do. */

import { parseNode } from '../claims/claim-set.ts';
import type { TaskRecord } from '../queue/record.ts';
import type { TaskQueue } from '../queue/task-queue.ts';
import { registeredWorkers } from '../runner/registry.ts';
import { isTerminal } from '../task/states.ts';
import { parseEnvelope, STORED_VERSION, storedVersion } from '../task/stored.ts';
import { readDurations, readNow } from './estimate.ts';
import type { Blocker, ChainLink, WaitingTicket } from './standing.ts';

/** What is so, and what to do. */
export interface Words {
  readonly summary: string;
  readonly next: string;
}

/** A ticket in line, and what is in its way. */
export interface InLine {
  readonly ticket: WaitingTicket;
  readonly blockedBy: readonly Blocker[];
  readonly ahead: readonly string[];
  readonly chain: readonly ChainLink[];
}

const HAS = {
  run: 'held by',
  exec: 'held by',
  merged: 'kept until it is merged, for',
  reserved: 'reserved for',
  kept: 'kept for',
} as const;

/** How many tasks that are depended on are named. */
const NAMED = 3;

/** About a task in line. */
export function blockedWords(place: InLine): Words {
  const { ticket, blockedBy, ahead } = place;
  const [first] = blockedBy;
  if (first !== undefined && first.holder.taskId === ticket.id) {
    return {
      summary: 'It waits until its own earlier run, whose worker does not answer, has been cleared away.',
      next: 'Nothing to do: it starts again by itself within the recovery time that `signalbox doctor` prints.',
    };
  }
  if (ticket.obstacle === '#paused') {
    return {
      summary: 'Nobody holds what it claims, but the queue is paused.',
      next: 'Let it go on with `signalbox resume`.',
    };
  }
  const summary = [
    `It waits for ${first?.resource ?? obstacleOf(ticket)}${first === undefined ? '' : `, ${ownedBy(first)}`}; place ${ahead.length + 1} in line.`,
    ...inTurn(place),
    ...(ticket.passed === 0 ? [] : [passedWords(ticket)]),
    ...(ticket.keeps ? ['It has waited so long that what it claims is kept for it as it comes free.'] : []),
  ].join(' ');
  return { summary, next: blockedAdvice(ticket, first) };
}

/** About a task that has been granted what it claims, or has not asked for it yet. */
export async function queuedWords(queue: TaskQueue, record: TaskRecord, isGranted: boolean): Promise<Words> {
  const tooNew = await tooNewWords(queue, record);
  if (tooNew !== undefined) return tooNew;
  const summary = isGranted
    ? 'All that it claims is reserved for it; it starts as soon as a runner is free.'
    : 'It waits for a free runner; nothing that it claims was refused to it yet.';
  return { summary, next: await slotAdvice(queue) };
}

/** About a task that a newer version has stored, if none of the workers that are there can read it. */
async function tooNewWords({ redis, keys }: TaskQueue, { envelope }: TaskRecord): Promise<Words | undefined> {
  const version = storedVersion(envelope) ?? STORED_VERSION;
  const workers = await registeredWorkers(redis, keys);
  if (workers.length === 0 || workers.some(({ reads = 1 }) => reads >= version)) return undefined;
  const several = workers.length > 1;
  return {
    summary: `It was submitted by a newer version of Signalbox: ${several ? `all ${workers.length} workers that run are` : 'the worker that runs is'} too old to read it and ${several ? 'leave' : 'leaves'} it alone.`,
    next: 'Start a worker of the version that submitted it; it takes the task within seconds, and nothing is charged.',
  };
}

/** About a task that runs, and what it waits for meanwhile if it asked for more. */
export async function runningWords(queue: TaskQueue, record: TaskRecord, growth: readonly Blocker[]): Promise<Words> {
  const { id, host, phases } = record;
  const began = phases[0]?.startedAt;
  const [durations, now] = await Promise.all([readDurations(queue), readNow(queue)]);
  const elapsed = began === undefined ? 0 : Math.max(0, now - Date.parse(began));
  const rest = durations.remaining(record, elapsed);
  const summary = [
    `It runs: phase ${phases.at(-1)?.name ?? 'prepare'}, on ${host ?? 'a worker'}.`,
    ...growth.slice(0, 1).map((blocker) => `It asked for more and waits for ${blocker.resource}, ${ownedBy(blocker)}.`),
    ...(rest === undefined ? [] : [`It is likely to end by ${new Date(now + rest).toISOString()}.`]),
  ].join(' ');
  return { summary, next: `Follow it with \`signalbox logs ${id} -f\`, or stop it with \`signalbox cancel ${id}\`.` };
}

/** About a task that waits for others to succeed, or for its next attempt. */
export async function scheduledWords(queue: TaskQueue, record: TaskRecord): Promise<Words> {
  const last = (await queue.store.history(record.id)).at(-1);
  if (record.pickup > 0) {
    const why = record.run > 0 ? `read why with \`signalbox logs ${record.id}\`` : 'check with `signalbox doctor`';
    return { summary: `It is scheduled: ${last?.reason ?? 'for later'}.`, next: `Nothing to do, or ${why}.` };
  }
  const open = await openDependencies(queue, record);
  const more = open.length - NAMED;
  const named = open.slice(0, NAMED).map(({ id, state }) => `${id} (${state})`);
  const who = `${named.join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
  const [first] = open;
  return {
    summary: `It is scheduled: ${last?.reason ?? 'for later'}${who === '' ? '' : `: ${who}`}.`,
    next: `Nothing to do: it is queued when they have succeeded${first === undefined ? '.' : `; \`signalbox explain ${first.id}\` says what the first of them does.`}`,
  };
}

/** The tasks that it depends on and that have not ended. */
async function openDependencies({ store, redis, keys }: TaskQueue, record: TaskRecord): Promise<TaskRecord[]> {
  // What a newer version has stored is not known here.
  if ((storedVersion(record.envelope) ?? 0) > STORED_VERSION) return [];
  const names = parseEnvelope(record.envelope).dependsOn;
  if (names.length === 0) return [];
  // A name is an id, or a key that its list was submitted with: a key stands before a space and a hash.
  const known = await redis.hmget(keys.all('idempotency'), ...names);
  const records = await store.getMany(names.map((name, i) => known[i]?.split(' ')[0] ?? name));
  return records.filter(({ state }) => !isTerminal(state));
}

function ownedBy({ holder: { kind, taskId, runnerId, since } }: Blocker): string {
  return `${HAS[kind]} ${taskId ?? runnerId ?? 'somebody'}${since === null ? '' : ` since ${since}`}`;
}

/** What its holder, and the first ahead of it, wait for in turn. */
function inTurn({ ticket, blockedBy: [first], ahead: [before], chain }: InLine): string[] {
  const holder = first?.holder;
  const known = new Set([ticket.id]);
  const said = [holder?.taskId, before].flatMap((id) => {
    const link = chain.find(({ taskId }) => taskId === id);
    if (link === undefined || known.has(link.taskId)) return [];
    known.add(link.taskId);
    const sameHolder = link.holderTaskId !== null && link.holderTaskId === (holder?.taskId ?? holder?.runnerId);
    if (link.taskId === before && link.taskId !== holder?.taskId && sameHolder) return [];
    return [
      `${link.taskId === holder?.taskId ? 'That one' : `${before}, ahead of it,`} waits for ${link.resource}, ${HAS[link.kind]} ${link.holderTaskId ?? 'somebody'}.`,
    ];
  });
  return holder?.kind === 'reserved' ? ['That one waits for a free runner.', ...said] : said;
}

function passedWords({ passed }: WaitingTicket): string {
  const times = passed === 1 ? 'once' : `${passed} times`;
  return `It was passed over ${times}: others that wait for something else may pass.`;
}

function blockedAdvice(ticket: WaitingTicket, first: Blocker | undefined): string {
  const counted = countedOf(first?.resource ?? obstacleOf(ticket));
  if (counted !== undefined) {
    const what = `\`signalbox limits set ${counted} N\``;
    return first === undefined
      ? `It has no capacity: give it some with ${what}.`
      : `Wait, or raise the limit with ${what}.`;
  }
  const narrower = 'or submit it with a narrower claim.';
  if (first === undefined) return `See who holds it with \`signalbox claims\`, ${narrower}`;
  const { kind, taskId } = first.holder;
  if (kind === 'merged')
    return `Merge the branch of ${taskId ?? 'its task'}, or give its paths up with \`signalbox claims release ${taskId ?? 'ID'}\`.`;
  if (kind === 'exec')
    return `Wait, or end the program that holds it: \`signalbox claims\` says where it runs; ${narrower}`;
  return `Wait, cancel the holder (\`signalbox cancel ${taskId ?? 'ID'}\`), ${narrower}`;
}

/** What is limited by number, as `limits` names it. */
function countedOf(resource: string): string | undefined {
  return /^(?:resource|owner|spec):/.test(resource) ? resource : undefined;
}

function obstacleOf({ obstacle = '', nodes }: WaitingTicket): string {
  const shown = nodes.find(({ name }) => name === obstacle)?.shown;
  const { kind, value } = parseNode(obstacle);
  return obstacle === '' ? 'what it claims' : `${kind}:${shown ?? value}`;
}

async function slotAdvice(queue: TaskQueue): Promise<string> {
  if (await queue.isPaused()) return 'The queue is paused: let it go on with `signalbox resume`.';
  const [workers, cap, counts] = await Promise.all([
    registeredWorkers(queue.redis, queue.keys),
    queue.bull.cap(),
    queue.store.counts(),
  ]);
  if (workers.length === 0) return 'No worker is running: start one with `signalbox worker`.';
  if (cap !== undefined && counts.running >= cap) {
    return `The cap max_parallel_runners is ${cap} and ${counts.running} run: wait, or raise it with \`signalbox limits set max_parallel_runners N\`.`;
  }
  const slots = workers.reduce((sum, { concurrency }) => sum + concurrency, 0);
  return `${slots} runners are there in ${workers.length} workers: wait, or start another with \`signalbox worker\`.`;
}
