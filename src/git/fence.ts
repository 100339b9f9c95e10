/**
 * The fence: what keeps a superseded run from publishing, and a task from being published twice. The remote itself
 * enforces it, by one rule: every push of a run extends the task's ledger from the run's own token, in the same atomic
 * step, or moves nothing. Whoever extends the ledger first cuts the others off, so that a push whose outcome is in doubt
 * is decided by trying to extend the ledger once more.
 *
 * A remote without room for ledgers (it refuses refs of such a name, or several refs in one step) leaves the branch's
 * own lease alone: see docs/guarantees.md for what that does not cover.
 */

import { setTimeout as delay } from 'node:timers/promises';
import { SignalboxError } from '../errors.ts';
import { type LedgerTip, type LedgerWord, type LedgerWriter, ledgerRef, makeEntry, readLedger } from './ledger.ts';
import { isAncestor, type Mirror, type Oid } from './mirror.ts';
import { type PushAnswer, pushRefs, type RefUpdate, readRemoteRef } from './push.ts';

/** What a run's pushes are fenced by: its token in the task's ledger, or where there can be none, the branch's lease. */
export type Fence =
  | { readonly kind: 'ledger'; readonly writer: LedgerWriter; readonly token: Oid }
  | { readonly kind: 'branch'; readonly why: string };

/** A run's place in the ledger, or the publication that is there already. */
export type TokenAnswer = Fence | { readonly kind: 'published'; readonly commit: Oid };

/** What became of a fenced push. `cut_off`: a newer run has the ledger, or somebody took it away; nothing was moved. */
export type FencedAnswer =
  | { readonly kind: 'moved' }
  | { readonly kind: 'refused'; readonly message: string }
  | { readonly kind: 'cut_off'; readonly message: string }
  /** It was in doubt and is decided now: it did not happen and cannot any more. The run's token is a new one. */
  | { readonly kind: 'undone'; readonly fence: Fence; readonly error: unknown };

/** How long the remote is asked what became of a push: on a clock of its own, since a cancelled push needs it too. */
const DECIDE_MS = 60_000;
/** Before a remote that did not answer is asked again. */
const PAUSE_MS = 500;
/** Each try meets somebody else's entry, so that more are a sign of a fault. */
const TRIES = 10;

/**
 * Takes the run's token: extends the ledger from where it stands now. A first run tries without reading, since there is
 * nothing to read. Throws `REMOTE_UNREACHABLE`, and `GIT` when the ledger exists and the remote will not have it grow.
 */
export async function takeToken(mirror: Mirror, writer: LedgerWriter, signal?: AbortSignal): Promise<TokenAnswer> {
  const { taskId, run } = writer;
  let tip = run === 1 ? undefined : await readLedger(mirror, taskId, signal);
  for (let tries = 0; tries < TRIES; tries++) {
    if (tip?.kind === 'published') return { kind: 'published', commit: tip.commit };
    const from = oidOf(tip);
    const { entry, answer } = await extend(mirror, writer, { from, word: { kind: 'token' }, signal });
    if (answer.kind === 'accepted') return { kind: 'ledger', writer, token: entry };
    tip = await readLedger(mirror, taskId, signal);
    if (oidOf(tip) === entry) return { kind: 'ledger', writer, token: entry };
    if (answer.kind === 'refused' && oidOf(tip) === from) return withoutToken(writer, tip, answer.message);
  }
  throw stuck(writer, 'each try met an entry of somebody else, or no answer');
}

function oidOf(tip: LedgerTip | undefined): Oid | null {
  return tip === undefined ? null : tip.oid;
}

/** Only where there never was a ledger may a run do without: otherwise it would pass by those that rely on it. */
function withoutToken(writer: LedgerWriter, tip: LedgerTip | undefined, why: string): Fence {
  if (tip === undefined) return { kind: 'branch', why };
  throw stuck(writer, why);
}

/** Under which fence something is pushed, and who is told when the remote did not say what became of it. */
export interface Fenced {
  readonly fence: Fence;
  readonly onDoubt?: (error: unknown) => void;
}

/** What to push: all or nothing, and how the ledger goes on with it. */
export interface FencedPush extends Fenced {
  /** The first one decides: alone where the remote cannot move several refs in one step, and when doubt is settled. */
  readonly updates: readonly [RefUpdate, ...RefUpdate[]];
  readonly word: LedgerWord;
  readonly signal?: AbortSignal | undefined;
}

/** Pushes under the fence. Throws when even a long look at the remote cannot tell what became of it. */
export async function pushFenced(mirror: Mirror, push: FencedPush): Promise<FencedAnswer> {
  const { fence } = push;
  return await (fence.kind === 'ledger' ? pushWithLedger(mirror, push, fence) : pushByLease(mirror, push));
}

async function pushWithLedger(
  mirror: Mirror,
  { updates, word, signal, onDoubt }: FencedPush,
  fence: Extract<Fence, { kind: 'ledger' }>,
): Promise<FencedAnswer> {
  const { writer, token } = fence;
  const ref = ledgerRef(writer.taskId);
  const entry = await makeEntry(mirror, writer, { word, parent: token });
  const answer = await pushRefs(mirror, [{ ref, from: token, to: entry }, ...updates], { signal });
  if (answer.kind === 'accepted') return { kind: 'moved' };
  if (answer.kind === 'unknown') {
    onDoubt?.(answer.error);
    return await decide(mirror, { fence, entry, error: answer.error });
  }
  const tip = await readLedger(mirror, writer.taskId, AbortSignal.timeout(DECIDE_MS));
  if (tip?.oid === entry) return { kind: 'moved' };
  return tip?.oid === token ? { kind: 'refused', message: answer.message } : cutOff(tip);
}

interface Doubt {
  readonly fence: Extract<Fence, { kind: 'ledger' }>;
  /** What the push would have put on top of the token. */
  readonly entry: Oid;
  readonly error: unknown;
}

/**
 * Settles a push that may still land: either it has, or a further entry on the same token makes that impossible. The
 * remote lets only one of the two in.
 */
async function decide(mirror: Mirror, { fence, entry, error }: Doubt): Promise<FencedAnswer> {
  const { writer, token } = fence;
  const signal = AbortSignal.timeout(DECIDE_MS);
  for (let tries = 0; tries < TRIES; tries++) {
    const next = await extend(mirror, writer, { from: token, word: { kind: 'token' }, signal });
    if (next.answer.kind === 'accepted') return { kind: 'undone', fence: { ...fence, token: next.entry }, error };
    const tip = await readLedger(mirror, writer.taskId, signal).catch(() => 'unread' as const);
    if (tip === 'unread') {
      await delay(PAUSE_MS);
      continue;
    }
    if (tip?.oid === next.entry) return { kind: 'undone', fence: { ...fence, token: next.entry }, error };
    if (tip?.oid === entry) return { kind: 'moved' };
    if (tip?.oid !== token) return cutOff(tip);
  }
  throw inDoubt(ledgerRef(writer.taskId), error);
}

async function extend(
  mirror: Mirror,
  writer: LedgerWriter,
  step: { readonly from: Oid | null; readonly word: LedgerWord; readonly signal?: AbortSignal | undefined },
): Promise<{ readonly entry: Oid; readonly answer: PushAnswer }> {
  const { from, word, signal } = step;
  const entry = await makeEntry(mirror, writer, { word, parent: from });
  const update = { ref: ledgerRef(writer.taskId), from, to: entry };
  // `atomic` although it is one ref: whether the remote knows the word is better learnt now than when publishing.
  return { entry, answer: await pushRefs(mirror, [update], { signal, atomic: true }) };
}

/** Without a ledger: the leases alone, and in doubt what the deciding ref says. */
async function pushByLease(mirror: Mirror, { updates, signal, onDoubt }: FencedPush): Promise<FencedAnswer> {
  const [deciding, ...others] = updates;
  let answer = await pushRefs(mirror, updates, { signal });
  if (answer.kind === 'refused' && answer.noAtomic) {
    answer = await pushRefs(mirror, [deciding], { signal });
    // What follows the deciding ref is told when it cannot follow, but what was decided stays so.
    if (answer.kind === 'accepted') for (const other of others) await pushRefs(mirror, [other], { signal });
  }
  if (answer.kind === 'accepted') return { kind: 'moved' };
  if (answer.kind === 'unknown') onDoubt?.(answer.error);
  return await readBack(mirror, deciding, answer);
}

/** Decides by where the deciding ref is now. */
async function readBack(
  mirror: Mirror,
  deciding: RefUpdate,
  answer: Exclude<PushAnswer, { kind: 'accepted' }>,
): Promise<FencedAnswer> {
  const now = await readRemoteRef(mirror, deciding.ref, AbortSignal.timeout(DECIDE_MS)).catch((error: unknown) => {
    throw inDoubt(deciding.ref, answer.kind === 'unknown' ? answer.error : error);
  });
  const landed = now === deciding.to || (answer.kind === 'unknown' && (await isBuiltUpon(mirror, deciding, now)));
  if (landed) return { kind: 'moved' };
  if (answer.kind === 'refused') return { kind: 'refused', message: answer.message };
  if (now !== deciding.from) return { kind: 'refused', message: `${deciding.ref} was moved by somebody else` };
  throw inDoubt(deciding.ref, answer.error);
}

/** Whether a ref that is at `actual` has our commit below its tip: it landed, and somebody went on from it. */
async function isBuiltUpon(mirror: Mirror, { ref, to }: RefUpdate, actual: Oid | null): Promise<boolean> {
  if (actual === null || !(await mirror.fetchObject(ref))) return false;
  return await isForward(mirror, { from: to, to: actual });
}

/** Whether the new tip has the old one in its history; true for a ref that does not exist yet. */
export async function isForward(mirror: Mirror, { from, to }: Pick<RefUpdate, 'from' | 'to'>): Promise<boolean> {
  return from === null || (await isAncestor(mirror, from, to));
}

function cutOff(tip: LedgerTip | undefined): FencedAnswer {
  const who = tip === undefined ? 'its ledger was taken away' : `run ${tip.run ?? 'of another writer'} has the ledger`;
  return { kind: 'cut_off', message: `the remote takes nothing more from this run: ${who}` };
}

/** The error for a push that may have landed or may still land. */
function inDoubt(ref: string, cause: unknown): SignalboxError {
  const known = cause instanceof SignalboxError ? cause : undefined;
  const why = cause instanceof Error ? cause.message : String(cause);
  return new SignalboxError(known?.code ?? 'REMOTE_UNREACHABLE', `the push to ${ref} did not end: ${why}`, {
    next: known?.next ?? 'Read the branch from the remote: the push may have landed or may still land.',
    cause,
    details: { ...known?.details, inDoubt: true },
  });
}

function stuck({ taskId }: LedgerWriter, why: string): SignalboxError {
  return new SignalboxError('GIT', `the ledger ${ledgerRef(taskId)} cannot be extended: ${why}`, {
    next: 'Allow pushes to refs/signalbox/* on the remote; its earlier runs have been allowed to.',
  });
}
