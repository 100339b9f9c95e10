/** Invariant I3: the ledgers in the remotes, read from what git keeps there, without the code under test. */

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TaskView } from '../../../src/index.ts';
import { none, same } from './must.ts';
import type { Remote } from './remote.ts';
import type { World } from './world-core.ts';

const NAMESPACE = 'refs/signalbox/task/';
const TRAILERS = ['Queue', 'Task', 'Run', 'Runner'];

interface Entry {
  readonly oid: string;
  readonly parents: readonly string[];
  /** `token` or `published <oid>`. */
  readonly subject: string;
  readonly queue: string;
  readonly taskId: string;
  readonly run: number;
}

/** Every ledger only grew, has at most one publication, which is its end, and nothing from a run that was cut off. */
export function checkLedgers(world: World, tasks: readonly TaskView[]): void {
  const queue = world.queue;
  const byTask = new Map<string, Entry[]>();
  for (const remote of world.remotes) {
    for (const [taskId, chain] of ledgersOf(remote)) {
      byTask.set(taskId, chain);
      checkChain(chain, { taskId, queue, runsGrow: !world.hasLostData });
      checkGrowth(remote, taskId, chain);
    }
  }
  for (const task of tasks) checkTask(task, byTask.get(task.id));
}

function checkChain(
  chain: readonly Entry[],
  { taskId, queue, runsGrow }: { readonly taskId: string; readonly queue: string; readonly runsGrow: boolean },
): void {
  const what = `I3: the ledger of ${taskId}`;
  none(
    chain.filter((entry) => entry.queue !== queue || entry.taskId !== taskId),
    `${what} has an entry of another task`,
  );
  none(
    chain.filter(({ subject }) => !/^(token|published [0-9a-f]{40})$/.test(subject)),
    `${what} has an entry that is none`,
  );
  const end = chain.findIndex(({ subject }) => subject !== 'token');
  if (end >= 0) same(end, chain.length - 1, `${what} goes on after the publication; the place of that`);
  for (const [i, entry] of chain.entries()) {
    const before = chain[i - 1];
    same(entry.parents, before === undefined ? [] : [before.oid], `${what}: the parents of ${entry.oid}`);
    if (before === undefined) continue;
    if (entry.subject !== 'token') same(entry.run, before.run, `${what} was ended by a run without its token`);
    if (runsGrow && entry.run < before.run) none([before, entry], `${what} has runs in the wrong order`);
  }
}

/** The remote has noted where the ref was, each time that it moved: always further on the chain that it has now. */
function checkGrowth({ dir }: Remote, taskId: string, chain: readonly Entry[]): void {
  const places = readFileSync(join(dir, 'logs', `${NAMESPACE}${taskId}`), 'utf8')
    .trimEnd()
    .split('\n');
  const moves = places.map((line) => line.split(' ', 2).map((oid) => chain.findIndex((entry) => entry.oid === oid)));
  none(
    moves.filter(([from = -1, to = -1], i) => to <= from || from !== (moves[i - 1]?.[1] ?? -1)),
    `I3: the ledger of ${taskId} did not only grow`,
  );
}

/** What the ledger calls the publication is what the task's record names, and the other way round. */
function checkTask({ id, state, commit, fence }: TaskView, chain: readonly Entry[] | undefined): void {
  const published = /^published (\w+)$/.exec(chain?.at(-1)?.subject ?? '')?.[1];
  if (published !== undefined) same(published, commit, `I3: the publication in the ledger of ${id}`);
  if (state === 'succeeded' && commit !== null && fence === 'ledger')
    same(published, commit, `I3: the publication of ${id}`);
}

/** All chains of a remote, by task, oldest entry first. */
function ledgersOf(remote: Remote): Map<string, Entry[]> {
  const trailers = TRAILERS.map((name) => `%(trailers:key=Signalbox-${name},valueonly,separator=%x2C)`);
  const format = ['%H', '%P', '%s', ...trailers].join('%x09');
  const entries = new Map<string, Entry>();
  const lines = remote.git('log', `--glob=${NAMESPACE}*`, `--format=${format}`).split('\n').filter(Boolean);
  for (const line of lines) {
    const [oid = '', parents = '', subject = '', queue = '', taskId = '', run = ''] = line.split('\t');
    entries.set(oid, { oid, parents: parents.split(' ').filter(Boolean), subject, queue, taskId, run: Number(run) });
  }
  const refs = remote.git('for-each-ref', '--format=%(refname) %(objectname)', NAMESPACE).split('\n').filter(Boolean);
  return new Map(
    refs.map((line) => {
      const [name = '', tip = ''] = line.split(' ');
      const chain: Entry[] = [];
      for (let entry = entries.get(tip); entry !== undefined; entry = entries.get(entry.parents[0] ?? ''))
        chain.unshift(entry);
      return [name.slice(NAMESPACE.length), chain];
    }),
  );
}

/** What is in a remote beside objects, logs and refs of the names that Signalbox may write: nothing (I7, I10). */
export function strangeRefs({ dir }: Remote): string[] {
  return readdirSync(join(dir, 'refs'), { recursive: true, encoding: 'utf8' }).filter(
    (path) => path.endsWith('.lock') || !/^(heads|tags|signalbox)(\/|$)/.test(path),
  );
}
