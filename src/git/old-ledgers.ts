/** Takes old ledgers away from a remote: after that nothing tells a task's publication but its branch. */

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Git } from './git.ts';
import { LEDGERS, taskOfLedger } from './ledger.ts';
import type { Oid } from './mirror.ts';

/** A ledger that was, or would be, taken away. */
export interface OldLedger {
  readonly ref: string;
  readonly taskId: string;
  /** Its newest entry, and when that was written. */
  readonly oid: Oid;
  readonly writtenAt: Date;
}

/** Which ledgers may go. */
export interface LedgerPruning {
  /** What git reaches the remote by. */
  readonly url: string;
  /** Those of other queues are not ours to judge. */
  readonly queue: string;
  /** Only if nothing has been written to them since. */
  readonly before: Date;
  /** Of these tasks, those that may still run: their ledgers stay, however old. */
  readonly unfinished: (taskIds: readonly string[]) => Promise<ReadonlySet<string>>;
  readonly dryRun: boolean;
}

const FORMAT = '%(refname)%00%(objectname)%00%(committerdate:unix)%00%(trailers:key=Signalbox-Queue,valueonly)';
/** Of refs in one push: command lines are bounded. */
const AT_ONCE = 200;

/**
 * Removes what is old; answers what is gone. Each is deleted only if it still is as it was read. Throws
 * `REMOTE_UNREACHABLE`, and `GIT` when the remote allows no deletion.
 */
export async function pruneLedgers(git: Git, pruning: LedgerPruning): Promise<OldLedger[]> {
  const { url, before, dryRun } = pruning;
  const listed = await git(['ls-remote', '--quiet', '--', url, LEDGERS], { remote: true });
  // A fetch of nothing would be an error.
  if (listed.stdout === '') return [];
  // Not in the mirror: every fetch there would take them away again, and every push would offer them.
  const dir = await mkdtemp(join(tmpdir(), 'signalbox-ledgers-'));
  try {
    await git(['init', '--quiet', '--bare', '--template=', '--', dir]);
    const fetch = ['fetch', '--quiet', '--depth=1', '--no-tags', '--no-write-fetch-head', '--', url];
    await git([...fetch, `+${LEDGERS}:${LEDGERS}`], { gitDir: dir, remote: true });
    const { stdout } = await git(['for-each-ref', `--format=${FORMAT}`, LEDGERS.slice(0, -2)], { gitDir: dir });
    const old = readRefs(stdout, pruning.queue).filter(({ writtenAt }) => writtenAt < before);
    const live = await pruning.unfinished(old.map(({ taskId }) => taskId));
    const dead = old.filter(({ taskId }) => !live.has(taskId));
    return dryRun ? dead : await removeAll(git, { dir, url, ledgers: dead });
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

function readRefs(text: string, queue: string): OldLedger[] {
  return text.split('\n').flatMap((line) => {
    const [ref = '', oid = '', seconds = '', owner = ''] = line.split('\0');
    const taskId = taskOfLedger(ref);
    return taskId === undefined || owner !== queue
      ? []
      : [{ ref, taskId, oid, writtenAt: new Date(Number(seconds) * 1_000) }];
  });
}

async function removeAll(
  git: Git,
  { dir, url, ledgers }: { dir: string; url: string; ledgers: readonly OldLedger[] },
): Promise<OldLedger[]> {
  const gone = new Set<string>();
  for (let from = 0; from < ledgers.length; from += AT_ONCE) {
    const some = ledgers.slice(from, from + AT_ONCE);
    const leases = some.map(({ ref, oid }) => `--force-with-lease=${ref}:${oid}`);
    const deletions = some.map(({ ref }) => `:${ref}`);
    const args = ['push', '--porcelain', '--no-verify', ...leases, '--', url, ...deletions];
    const { stdout } = await git(args, { gitDir: dir, remote: true, allow: [1] });
    for (const [, ref = ''] of stdout.matchAll(/^-\t:(\S+)\t/gm)) gone.add(ref);
  }
  return ledgers.filter(({ ref }) => gone.has(ref));
}
