import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { resolveRepository } from '../../../src/git/identity.ts';
import type { Mirror } from '../../../src/git/mirror.ts';
import { createMirrors } from '../../../src/git/mirror.ts';
import { publishBranch } from '../../../src/git/publisher.ts';
import { snapshot } from '../../../src/git/snapshot.ts';
import {
  BY_LEASE,
  by,
  commitAll,
  type Fixture,
  fixture,
  hook,
  letGo,
  type Run,
  startRun,
  tipOf,
  write,
} from './support.ts';

/** A run that has changed a file and made its commit. */
async function changed(room: Fixture, branch: string, files: Record<string, string>) {
  const run = await startRun(room, branch);
  write(run.workspace.dir, files);
  const { commit } = await snapshot(room.git, { dir: run.workspace.dir, message: 'work' });
  if (commit === null) throw new Error('nothing changed');
  return { ...run, commit };
}

const publish = (mirror: Mirror, { workspace, start, commit }: Run & { commit: string }, signal?: AbortSignal) =>
  publishBranch(mirror, {
    fence: BY_LEASE,
    workspaceDir: workspace.dir,
    commit,
    branch: workspace.branch,
    expectedTip: start.branchTip,
    signal,
  });

describe('publishing', () => {
  it('makes a new branch, and the next task on it starts from there', async () => {
    const room = await fixture();
    const one = await changed(room, 'task/one', { 'one.txt': '1' });
    expect(await publish(room.mirror, one)).toEqual({ kind: 'published', oid: one.commit });
    expect(tipOf(room.remote, 'task/one')).toBe(one.commit);
    const two = await changed(room, 'task/one', { 'two.txt': '2' });
    expect(two.start.startOid).toBe(one.commit);
    expect(await publish(room.mirror, two)).toEqual({ kind: 'published', oid: two.commit });
    expect(by(room.remote, 'ls-tree', '-r', '--name-only', 'task/one')).toContain('one.txt');
  });

  it('leaves a branch alone that a person moved, and tells both tips', async () => {
    const room = await fixture();
    const one = await changed(room, 'main', { 'one.txt': '1' });
    write(room.person, { 'person.txt': 'p' });
    const theirs = commitAll(room.person);
    by(room.person, 'push', '--quiet', 'origin', 'main');
    expect(await publish(room.mirror, one)).toMatchObject({
      kind: 'rejected',
      reason: 'branch_moved',
      expectedTip: room.first,
      actualTip: theirs,
      message: expect.stringContaining(theirs),
    });
    expect(tipOf(room.remote, 'main')).toBe(theirs);
  });

  it('does not bring back a branch that was deleted', async () => {
    const room = await fixture();
    by(room.person, 'push', '--quiet', 'origin', 'main:task/one');
    const one = await changed(room, 'task/one', { 'one.txt': '1' });
    by(room.person, 'push', '--quiet', 'origin', '--delete', 'task/one');
    const moved = { kind: 'rejected', reason: 'branch_moved', expectedTip: room.first, actualTip: null };
    expect(await publish(room.mirror, one)).toMatchObject(moved);
    expect(tipOf(room.remote, 'task/one')).toBeUndefined();
  });

  it('does not take over a branch that came into being meanwhile', async () => {
    const room = await fixture();
    const one = await changed(room, 'task/one', { 'one.txt': '1' });
    by(room.person, 'push', '--quiet', 'origin', 'main:task/one');
    const moved = { kind: 'rejected', reason: 'branch_moved', expectedTip: null, actualTip: room.first };
    expect(await publish(room.mirror, one)).toMatchObject(moved);
    expect(tipOf(room.remote, 'task/one')).toBe(room.first);
  });

  it('refuses a rewritten history although the lease would let it through', async () => {
    const room = await fixture();
    write(room.person, { 'more.txt': 'm' });
    const tip = commitAll(room.person);
    by(room.person, 'push', '--quiet', 'origin', 'main');
    const run = await startRun(room, 'main');
    by(run.workspace.dir, 'reset', '--quiet', '--hard', room.first);
    write(run.workspace.dir, { 'other.txt': 'o' });
    const commit = commitAll(run.workspace.dir, 'rewritten');
    expect(await publish(room.mirror, { ...run, commit })).toMatchObject({
      kind: 'rejected',
      reason: 'not_descendant',
    });
    expect(tipOf(room.remote, 'main')).toBe(tip);
  });

  it('lets exactly one of two contenders for a branch win, in each of 20 rounds', { timeout: 120_000 }, async () => {
    const room = await fixture();
    // The other one is another host: a mirror of its own.
    const repository = await resolveRepository(room.git, room.remote, room.root);
    const other = await createMirrors({ git: room.git, dataDir: join(room.root, 'other') }).open(repository);
    const elsewhere = { ...room, mirror: other };
    for (let round = 0; round < 20; round++) {
      const branch = round % 2 === 0 ? 'shared' : `new/${round}`;
      const contenders = await Promise.all([
        changed(room, branch, { 'who.txt': `a${round}` }),
        changed(elsewhere, branch, { 'who.txt': `b${round}` }),
      ]);
      const [a, b] = await Promise.all([publish(room.mirror, contenders[0]), publish(other, contenders[1])]);
      expect([a.kind, b.kind].sort()).toEqual(['published', 'rejected']);
      const winner = a.kind === 'published' ? contenders[0] : contenders[1];
      const loser = a.kind === 'published' ? b : a;
      expect(tipOf(room.remote, branch)).toBe(winner.commit);
      expect(loser).toMatchObject({ reason: 'branch_moved', actualTip: winner.commit });
    }
  });

  it("passes on what the remote's own rules say", async () => {
    const room = await fixture();
    hook(room.remote, 'pre-receive', 'echo "no pushes on Fridays" >&2; exit 1');
    const one = await changed(room, 'task/one', { 'one.txt': '1' });
    expect(await publish(room.mirror, one)).toMatchObject({
      kind: 'rejected',
      reason: 'refused',
      message: expect.stringContaining('no pushes on Fridays'),
    });
  });

  it('is a success when the push landed but its client was killed before it heard of it', async () => {
    const room = await fixture();
    // The branch has moved by the time this hook runs. It kills the client, which still waits for it, and itself.
    const survived = join(room.root, 'survived');
    hook(room.remote, 'post-receive', `kill -9 0; touch '${survived}'`);
    const one = await changed(room, 'task/one', { 'one.txt': '1' });
    expect(await publish(room.mirror, one)).toEqual({ kind: 'published', oid: one.commit });
    expect(existsSync(survived)).toBe(false);
  });

  it('is a success when the commit is there already, or has been built upon', async () => {
    const room = await fixture();
    const one = await changed(room, 'task/one', { 'one.txt': '1' });
    await publish(room.mirror, one);
    expect(await publish(room.mirror, one)).toEqual({ kind: 'published', oid: one.commit });
    const onward = 'git -c user.name=x -c user.email=x commit-tree -p task/two -m on task/two^{tree}';
    hook(room.remote, 'post-receive', `git update-ref refs/heads/task/two $(${onward}); kill -9 0`);
    const two = await changed(room, 'task/two', { 'two.txt': '2' });
    expect(await publish(room.mirror, two)).toEqual({ kind: 'published', oid: two.commit });
    expect(by(room.remote, 'rev-parse', 'task/two^')).toBe(two.commit);
  });

  it('says that it is in doubt when it was cancelled, and lets the remote in a folder end what it has begun', async () => {
    const room = await fixture();
    const reached = join(room.root, 'reached');
    hook(room.remote, 'pre-receive', `touch '${reached}'; while [ -e '${reached}' ]; do sleep 0.05; done`);
    const one = await changed(room, 'task/one', { 'one.txt': '1' });
    const cancel = new AbortController();
    const publication = publish(room.mirror, one, cancel.signal);
    await vi.waitFor(() => expect(existsSync(reached)).toBe(true), { timeout: 20_000 });
    cancel.abort(new Error('cancelled'));
    await expect(publication).rejects.toMatchObject({ details: { inDoubt: true } });
    expect(tipOf(room.remote, 'task/one')).toBeUndefined();
    // The remote's process is the remote's: killed between two refs it would have moved some of them.
    await letGo(room.remote, reached);
    await vi.waitFor(() => expect(tipOf(room.remote, 'task/one')).toBe(one.commit), { timeout: 20_000 });
  });

  it('takes no commit that is not whole', async () => {
    const room = await fixture();
    const { workspace, start } = await startRun(room, 'task/one');
    const tree = by(workspace.dir, 'rev-parse', 'HEAD^{tree}');
    const bad = join(room.root, 'bad');
    writeFileSync(bad, `tree ${tree}\nparent ${room.first}\nauthor nobody\ncommitter nobody\n\nbad\n`);
    const commit = by(workspace.dir, 'hash-object', '-t', 'commit', '-w', '--literally', bad);
    const refused = publish(room.mirror, { workspace, start, commit });
    await expect(refused).rejects.toMatchObject({ code: 'WORKSPACE' });
    const missing = publish(room.mirror, { workspace, start, commit: 'a'.repeat(40) });
    await expect(missing).rejects.toMatchObject({ code: 'WORKSPACE' });
    expect(tipOf(room.remote, 'task/one')).toBeUndefined();
  });

  it('does not judge history that the remote has already: it is not the work of the steps', async () => {
    const room = await fixture();
    const bad = join(room.root, 'bad');
    const tree = by(room.person, 'rev-parse', 'HEAD^{tree}');
    writeFileSync(bad, `tree ${tree}\nparent ${room.first}\nauthor A a@b> 1 +0000\ncommitter A <a@b> 1 +0000\n\nold\n`);
    const old = by(room.person, 'hash-object', '-t', 'commit', '-w', '--literally', bad);
    by(room.person, 'push', '--quiet', 'origin', `${old}:refs/heads/legacy`);
    await room.mirror.fetch();
    const run = await startRun(room, 'task/one');
    by(run.workspace.dir, 'merge', '--quiet', '--no-ff', '--no-edit', 'origin/legacy');
    const commit = by(run.workspace.dir, 'rev-parse', 'HEAD');
    expect(await publish(room.mirror, { ...run, commit })).toMatchObject({ kind: 'published' });
  });

  it('refuses branch names that are more than a name', async () => {
    const room = await fixture();
    const one = await changed(room, 'task/one', { 'one.txt': '1' });
    for (const branch of ['-x', 'a:main', '+a', '../main', 'refs/heads/a']) {
      const workspace = { ...one.workspace, branch };
      await expect(publish(room.mirror, { ...one, workspace })).rejects.toMatchObject({
        code: 'INVALID',
        field: 'branch',
      });
    }
  });

  it('says that the remote cannot be reached when it is gone', async () => {
    const room = await fixture();
    const one = await changed(room, 'task/one', { 'one.txt': '1' });
    by(room.root, '-c', 'alias.away=!mv remote.git gone.git', 'away');
    await expect(publish(room.mirror, one)).rejects.toMatchObject({ code: 'REMOTE_UNREACHABLE' });
  });
});
