import { describe, expect, it } from 'vitest';
import { takeToken } from '../../../src/git/fence.ts';
import { LEDGERS } from '../../../src/git/ledger.ts';
import { pruneLedgers } from '../../../src/git/old-ledgers.ts';
import { by, type Fixture, fixture } from './support.ts';

/** A token in the ledger of each task, by the queue of that name. */
async function ledgers({ mirror }: Fixture, queue: string, ...taskIds: string[]): Promise<void> {
  for (const taskId of taskIds) await takeToken(mirror, { queue, taskId, run: 1, runnerId: 'r' });
}

function left(remote: string): string[] {
  return by(remote, 'for-each-ref', '--format=%(refname:lstrip=3)', LEDGERS.slice(0, -2)).split('\n').filter(Boolean);
}

function prune({ git, mirror }: Fixture, before: Date, { live = [] as string[], dryRun = false } = {}) {
  const unfinished = async () => new Set(live);
  return pruneLedgers(git, { url: mirror.url, queue: 'q', before, unfinished, dryRun });
}

describe('pruning ledgers', () => {
  it('takes away those of the queue that are old and whose task has ended', async () => {
    const room = await fixture();
    await ledgers(room, 'q', 'T-1', 'T-2', 'T-3');
    await ledgers(room, 'other', 'T-4');
    const soon = new Date(Date.now() + 60_000);
    const ids = (pruned: readonly { taskId: string }[]) => pruned.map(({ taskId }) => taskId);
    expect(ids(await prune(room, new Date(Date.now() - 60_000)))).toEqual([]);
    expect(ids(await prune(room, soon, { live: ['T-2'], dryRun: true }))).toEqual(['T-1', 'T-3']);
    expect(left(room.remote)).toEqual(['T-1', 'T-2', 'T-3', 'T-4']);
    expect(ids(await prune(room, soon, { live: ['T-2'] }))).toEqual(['T-1', 'T-3']);
    expect(left(room.remote)).toEqual(['T-2', 'T-4']);
    expect(ids(await prune(room, soon, { live: ['T-2'] }))).toEqual([]);
  });

  it('leaves one alone that a run has extended since it was read', async () => {
    const room = await fixture();
    await ledgers(room, 'q', 'T-1', 'T-2');
    const unfinished = async () => {
      await takeToken(room.mirror, { queue: 'q', taskId: 'T-1', run: 2, runnerId: 'r2' });
      return new Set<string>();
    };
    const pruning = { url: room.mirror.url, queue: 'q', before: new Date(Date.now() + 60_000), dryRun: false };
    const pruned = await pruneLedgers(room.git, { ...pruning, unfinished });
    expect(pruned.map(({ taskId }) => taskId)).toEqual(['T-2']);
    expect(left(room.remote)).toEqual(['T-1']);
  });

  it('finds nothing on a remote without ledgers', async () => {
    const room = await fixture();
    expect(await prune(room, new Date())).toEqual([]);
  });
});
