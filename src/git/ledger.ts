/**
 * A task's ledger: `refs/signalbox/task/<id>` in the remote, a chain of commits without files that only grows. An entry
 * is a `token`, by which a run cuts off every earlier one, or `published <oid>`, after which nothing more is written.
 * The remote keeps it, so that it holds whatever becomes of Redis and of clocks.
 */

import { SignalboxError } from '../errors.ts';
import { type Mirror, type Oid, type Place, resolveCommit } from './mirror.ts';
import { objectFormat, writeCommit, writeEmptyTree } from './objects.ts';
import { readRemoteRef } from './push.ts';

/** Who writes into a ledger. */
export interface LedgerWriter {
  readonly queue: string;
  readonly taskId: string;
  readonly run: number;
  readonly runnerId: string;
}

/** What an entry says: that a run has begun, or which commit is the task's one publication. */
export type LedgerWord = { readonly kind: 'token' } | { readonly kind: 'published'; readonly commit: Oid };

/** The newest entry of a ledger. */
export type LedgerTip = LedgerWord & {
  readonly oid: Oid;
  /** Whose it is, as far as it says so. */
  readonly run: number | undefined;
  readonly runnerId: string | undefined;
};

const NAMESPACE = 'refs/signalbox/task/';
const FORMAT = [
  '%s',
  '%(trailers:key=Signalbox-Run,valueonly,separator=%x2C)',
  '%(trailers:key=Signalbox-Runner,valueonly,separator=%x2C)',
].join('%x00');

/** Where all ledgers are, as a pattern for git. */
export const LEDGERS = `${NAMESPACE}*`;

/** A ledger's full ref name. Throws `INTERNAL` for an id that no ref could carry. */
export function ledgerRef(taskId: string): string {
  if (/^[0-9A-Za-z][0-9A-Za-z-]{0,99}$/.test(taskId)) return `${NAMESPACE}${taskId}`;
  throw new SignalboxError('INTERNAL', `the task id ${JSON.stringify(taskId)} cannot name a ref`, {
    next: 'Report it: ids are made by Signalbox itself.',
  });
}

/** The task whose ledger a ref is, or undefined. */
export function taskOfLedger(ref: string): string | undefined {
  return ref.startsWith(NAMESPACE) ? ref.slice(NAMESPACE.length) : undefined;
}

/** Reads the newest entry from the remote; undefined if there is no ledger. Throws `REMOTE_UNREACHABLE`. */
export async function readLedger(mirror: Mirror, taskId: string, signal?: AbortSignal): Promise<LedgerTip | undefined> {
  const ref = ledgerRef(taskId);
  const oid = await readRemoteRef(mirror, ref, signal);
  if (oid === null) return undefined;
  // Should the ref have moved meanwhile, what it brings has the entry in its history.
  const isHere = (await resolveCommit(mirror.git, mirror.dir, oid)) !== undefined;
  if (!isHere && !(await mirror.fetchObject(ref, signal))) throw unreadable(ref, oid);
  const { stdout } = await mirror.git(['log', '-1', `--format=${FORMAT}`, '--end-of-options', oid], {
    gitDir: mirror.dir,
  });
  const [subject = '', run = '', runnerId = ''] = stdout.trimEnd().split('\0');
  const word = wordOf(subject);
  if (word === undefined) throw unreadable(ref, oid);
  return { ...word, oid, run: /^\d+$/.test(run) ? Number(run) : undefined, runnerId: runnerId || undefined };
}

/** Makes the commit of an entry in the mirror; only a push makes it count. */
export async function makeEntry(
  { dir }: Place,
  { queue, taskId, run, runnerId }: LedgerWriter,
  { word, parent }: { readonly word: LedgerWord; readonly parent: Oid | null },
): Promise<Oid> {
  const format = await objectFormat(dir);
  const subject = word.kind === 'token' ? 'token' : `published ${word.commit}`;
  const trailers = [
    `Signalbox-Queue: ${queue}`,
    `Signalbox-Task: ${taskId}`,
    `Signalbox-Run: ${run}`,
    `Signalbox-Runner: ${runnerId}`,
  ];
  return await writeCommit(dir, format, {
    tree: await writeEmptyTree(dir, format),
    parents: parent === null ? [] : [parent],
    author: WRITER,
    at: new Date(),
    message: `${subject}\n\n${trailers.join('\n')}\n`,
  });
}

const WRITER = { name: 'Signalbox', email: 'signalbox@localhost' };

function wordOf(subject: string): LedgerWord | undefined {
  if (subject === 'token') return { kind: 'token' };
  const commit = /^published ([0-9a-f]{40,64})$/.exec(subject)?.[1];
  return commit === undefined ? undefined : { kind: 'published', commit };
}

/** Nothing may be concluded from an entry that nobody understands, least of all that it may be written over. */
function unreadable(ref: string, oid: Oid): SignalboxError {
  return new SignalboxError('GIT', `the ledger ${ref} is at ${oid}, which is no entry that this version can read`, {
    next: 'Look who has written to it; a newer Signalbox may have. Delete the ref only if nothing runs the task.',
  });
}
