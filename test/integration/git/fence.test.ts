import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { type Fence, takeToken } from '../../../src/git/fence.ts';
import { probeFence } from '../../../src/git/fence-probe.ts';
import { resolveRepository } from '../../../src/git/identity.ts';
import { landCommit, readBase } from '../../../src/git/land.ts';
import { ledgerRef, readLedger } from '../../../src/git/ledger.ts';
import { createMirrors, type Mirror } from '../../../src/git/mirror.ts';
import { publishBranch } from '../../../src/git/publisher.ts';
import { by, changed, type Fixture, fixture, hook, letGo, tipOf, type Work } from './support.ts';

const TASK = 'T1-1';
const REF = ledgerRef(TASK);

function writer(run: number) {
  return { queue: 'q', taskId: TASK, run, runnerId: `runner-${run}` };
}

/** Takes the token of a run; throws if the task is published or there is no ledger. */
async function token(mirror: Mirror, run: number): Promise<Extract<Fence, { kind: 'ledger' }>> {
  const answer = await takeToken(mirror, writer(run));
  if (answer.kind !== 'ledger') throw new Error(`no token but ${answer.kind}`);
  return answer;
}

function publish(mirror: Mirror, fence: Fence, { workspace, start, commit }: Work) {
  const { dir, branch } = workspace;
  return publishBranch(mirror, { fence, workspaceDir: dir, commit, branch, expectedTip: start.branchTip });
}

/** The subjects of the ledger, oldest first. */
function subjects(remote: string): string[] {
  return by(remote, 'log', '--reverse', '--format=%s', REF).split('\n');
}

/** Another host: a mirror of its own. */
async function elsewhere(room: Fixture): Promise<Mirror> {
  const repository = await resolveRepository(room.git, room.remote, room.root);
  return await createMirrors({ git: room.git, dataDir: join(room.root, 'other') }).open(repository);
}

describe('the ledger', () => {
  it('grows by a token a run and one publication, and says whose they are', async () => {
    const room = await fixture();
    await token(await elsewhere(room), 1);
    const fence = await token(room.mirror, 2);
    const one = await changed(room, { 'one.txt': '1' });
    expect(await publish(room.mirror, fence, one)).toEqual({ kind: 'published', oid: one.commit });
    expect(tipOf(room.remote, 'task/one')).toBe(one.commit);
    expect(subjects(room.remote)).toEqual(['token', 'token', `published ${one.commit}`]);
    expect(by(room.remote, 'ls-tree', '-r', REF)).toBe('');
    expect(await readLedger(room.mirror, TASK)).toMatchObject({ run: 2, runnerId: 'runner-2', commit: one.commit });
    expect(by(room.remote, 'log', '-1', '--format=%(trailers:only)', REF).trim().split('\n')).toEqual([
      'Signalbox-Queue: q',
      `Signalbox-Task: ${TASK}`,
      'Signalbox-Run: 2',
      'Signalbox-Runner: runner-2',
    ]);
  });

  it('tells every later run of the publication, even one that believes to be the first', async () => {
    const room = await fixture();
    const one = await changed(room, { 'one.txt': '1' });
    await publish(room.mirror, await token(room.mirror, 1), one);
    const other = await elsewhere(room);
    for (const run of [1, 2, 7]) {
      expect(await takeToken(other, writer(run))).toEqual({ kind: 'published', commit: one.commit });
    }
    expect(subjects(room.remote)).toHaveLength(2);
  });

  it('gives each of many runs that begin at once a token of its own, the last of which may publish', async () => {
    const room = await fixture();
    const other = await elsewhere(room);
    const tokens = await Promise.all([token(room.mirror, 1), token(other, 2), token(room.mirror, 3), token(other, 4)]);
    expect(new Set(tokens.map((fence) => fence.token)).size).toBe(4);
    const tip = by(room.remote, 'rev-parse', REF);
    const one = await changed(room, { 'one.txt': '1' });
    for (const fence of tokens.filter((candidate) => candidate.token !== tip)) {
      expect(await publish(room.mirror, fence, one)).toMatchObject({ kind: 'cut_off' });
      expect(tipOf(room.remote, 'task/one')).toBeUndefined();
    }
    const last = tokens.find((candidate) => candidate.token === tip) as Fence;
    expect(await publish(room.mirror, last, one)).toMatchObject({ kind: 'published' });
  });

  it('refuses to read or to write over an entry that it does not know', async () => {
    const room = await fixture();
    by(room.remote, 'update-ref', REF, room.first);
    for (const run of [1, 2]) {
      await expect(takeToken(room.mirror, writer(run))).rejects.toMatchObject({
        code: 'GIT',
        message: expect.stringContaining(REF),
      });
    }
    expect(by(room.remote, 'rev-parse', REF)).toBe(room.first);
  });
});

describe('a run that was superseded', () => {
  it('publishes nothing, although its branch is where it saw it', async () => {
    const room = await fixture();
    const old = await token(room.mirror, 1);
    const one = await changed(room, { 'one.txt': '1' });
    const newer = await token(await elsewhere(room), 2);
    const cutOff = { kind: 'cut_off', message: expect.stringContaining('run 2') };
    expect(await publish(room.mirror, old, one)).toMatchObject(cutOff);
    expect(tipOf(room.remote, 'task/one')).toBeUndefined();
    expect(await publish(room.mirror, newer, one)).toMatchObject({ kind: 'published' });
    expect(await publish(room.mirror, old, one)).toMatchObject({ kind: 'cut_off' });
  });

  it('lands nothing', async () => {
    const room = await fixture();
    const fence = await token(room.mirror, 1);
    const { workspace, commit } = await changed(room, { 'one.txt': '1' });
    await token(room.mirror, 2);
    const base = await readBase(room.mirror, {});
    const landing = { fence, workspaceDir: workspace.dir, commit, base, branch: 'task/one', branchTip: null };
    expect(await landCommit(room.mirror, landing)).toMatchObject({ kind: 'cut_off' });
    expect([tipOf(room.remote, 'main'), tipOf(room.remote, 'task/one')]).toEqual([room.first, undefined]);
  });

  it('is cut off as well when its ledger was taken away', async () => {
    const room = await fixture();
    const fence = await token(room.mirror, 1);
    const one = await changed(room, { 'one.txt': '1' });
    by(room.remote, 'update-ref', '-d', REF);
    expect(await publish(room.mirror, fence, one)).toMatchObject({ kind: 'cut_off' });
    expect(tipOf(room.remote, 'task/one')).toBeUndefined();
  });
});

describe('a push in doubt', () => {
  it('is a publication when it has landed, be its client dead and its branch built upon or gone', async () => {
    const room = await fixture();
    const survived = join(room.root, 'survived');
    const one = await changed(room, { 'one.txt': '1' });
    const fence = await token(room.mirror, 1);
    // The refs have moved by the time this hook runs. It kills the client, which still waits for it, and itself.
    hook(room.remote, 'post-receive', `git update-ref -d refs/heads/task/one; kill -9 0; touch '${survived}'`);
    expect(await publish(room.mirror, fence, one)).toEqual({ kind: 'published', oid: one.commit });
    expect(existsSync(survived)).toBe(false);
    expect(tipOf(room.remote, 'task/one')).toBeUndefined();
  });

  it('cannot land any more once it is decided, and the run may push again', async () => {
    const room = await fixture();
    const reached = join(room.root, 'reached');
    const one = await changed(room, { 'one.txt': '1' });
    const fence = await token(room.mirror, 1);
    // The first push is held, the one that decides passes.
    hook(
      room.remote,
      'pre-receive',
      `[ -e '${reached}' ] && exit 0; touch '${reached}'; while [ -e '${reached}' ]; do sleep 0.05; done`,
    );
    const cancel = new AbortController();
    const doubts: unknown[] = [];
    const { dir, branch } = one.workspace;
    const pushing = publishBranch(room.mirror, {
      ...{ fence, workspaceDir: dir, commit: one.commit, branch, expectedTip: null, signal: cancel.signal },
      onDoubt: (error) => doubts.push(error),
    });
    await vi.waitFor(() => expect(existsSync(reached)).toBe(true), { timeout: 20_000 });
    cancel.abort(new Error('cancelled'));
    const answer = await pushing;
    expect(answer).toMatchObject({ kind: 'undone', error: { message: 'cancelled' } });
    expect(doubts).toHaveLength(1);
    expect(tipOf(room.remote, 'task/one')).toBeUndefined();
    if (answer.kind !== 'undone') throw new Error('not undone');
    expect(await publish(room.mirror, answer.fence, one)).toMatchObject({ kind: 'published' });
    await letGo(room.remote, reached);
    expect(subjects(room.remote)).toEqual(['token', 'token', `published ${one.commit}`]);
  });

  it('is undone when the remote goes away in the middle and comes back', async () => {
    const room = await fixture();
    const one = await changed(room, { 'one.txt': '1' });
    const fence = await token(room.mirror, 1);
    hook(room.remote, 'pre-receive', `rm -f "$0"; kill -9 0`);
    const answer = await publish(room.mirror, fence, one);
    expect(answer).toMatchObject({ kind: 'undone', fence: { kind: 'ledger', writer: writer(1) } });
    expect(tipOf(room.remote, 'task/one')).toBeUndefined();
  });

  it('stays in doubt, and says so, while the remote cannot be asked', { timeout: 60_000 }, async () => {
    const room = await fixture();
    const one = await changed(room, { 'one.txt': '1' });
    const fence = await token(room.mirror, 1);
    by(room.root, '-c', 'alias.away=!mv remote.git gone.git', 'away');
    await expect(publish(room.mirror, fence, one)).rejects.toMatchObject({ details: { inDoubt: true } });
  });
});

describe('a remote that keeps no ledgers', () => {
  it.each([
    ['hides such refs', (remote: string) => by(remote, 'config', 'receive.hideRefs', 'refs/signalbox')],
    [
      'lets nobody make such refs',
      (remote: string) => hook(remote, 'update', 'case $1 in refs/signalbox/*) echo "no such refs" >&2; exit 1;; esac'),
    ],
    [
      'cannot move several refs in one step',
      (remote: string) => by(remote, 'config', 'receive.advertiseAtomic', 'false'),
    ],
  ])('because it %s is published to by lease alone, and why is told', async (_why, arrange) => {
    const room = await fixture();
    arrange(room.remote);
    expect(await probeFence(room.git, room.remote)).toMatchObject({ kind: 'refused' });
    const one = await changed(room, { 'one.txt': '1' });
    const fence = await takeToken(room.mirror, writer(1));
    expect(fence).toMatchObject({ kind: 'branch', why: expect.stringMatching(/hidden|no such refs|atomic/) });
    expect(await publish(room.mirror, fence as Fence, one)).toMatchObject({ kind: 'published' });
    expect(tipOf(room.remote, 'task/one')).toBe(one.commit);
    expect(by(room.remote, 'for-each-ref', 'refs/signalbox')).toBe('');
  });

  it('is told by a probe, which leaves nothing behind', async () => {
    const room = await fixture();
    expect(await probeFence(room.git, room.remote)).toEqual({ kind: 'able' });
    expect(by(room.remote, 'for-each-ref', 'refs/signalbox')).toBe('');
    expect(await probeFence(room.git, join(room.root, 'nowhere.git'))).toMatchObject({ kind: 'unknown' });
  });

  it('no longer is not written past', async () => {
    const room = await fixture();
    await token(room.mirror, 1);
    hook(room.remote, 'update', 'case $1 in refs/signalbox/*) exit 1;; esac');
    await expect(takeToken(room.mirror, writer(2))).rejects.toMatchObject({
      code: 'GIT',
      message: expect.stringContaining('cannot be extended'),
    });
  });
});
