import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { resolveRepository } from '../../../src/git/identity.ts';
import { type LandResult, landCommit, readBase } from '../../../src/git/land.ts';
import { createMirrors, type Mirror } from '../../../src/git/mirror.ts';
import { findLanding } from '../../../src/git/published.ts';
import { rebaseOnto } from '../../../src/git/rebase.ts';
import { advance, BY_LEASE, by, changed, commitAll, fixture, hook, letGo, tipOf, type Work, write } from './support.ts';

/** Rebases the work onto base as it is now. */
async function ready(mirror: Mirror, { workspace, start, commit }: Work) {
  const base = await readBase(mirror, {});
  const request = { workspaceDir: workspace.dir, commit, baseOid: start.baseOid, tip: base.tip };
  const result = await rebaseOnto(mirror, request);
  if (result.kind !== 'rebased') throw new Error('conflict');
  const { branch } = workspace;
  const { branchTip } = start;
  return { fence: BY_LEASE, workspaceDir: workspace.dir, commit: result.commit, base, branch, branchTip };
}

const land = async (mirror: Mirror, work: Work, signal?: AbortSignal): Promise<LandResult> =>
  landCommit(mirror, { ...(await ready(mirror, work)), signal });

describe('reading base', () => {
  it("is the remote's HEAD or the named branch, read anew", async () => {
    const room = await fixture();
    by(room.person, 'push', '--quiet', 'origin', 'main:release/1');
    expect(await readBase(room.mirror, {})).toEqual({ ref: 'refs/heads/main', tip: room.first });
    expect(await readBase(room.mirror, { base: 'release/1' })).toEqual({
      ref: 'refs/heads/release/1',
      tip: room.first,
    });
    const tip = advance(room, { 'person.txt': 'p' });
    expect(await readBase(room.mirror, {})).toEqual({ ref: 'refs/heads/main', tip });
  });

  it('refuses what is no branch', async () => {
    const room = await fixture();
    by(room.person, 'tag', 'v1');
    by(room.person, 'push', '--quiet', 'origin', 'v1');
    for (const base of ['v1', room.first, 'nowhere']) {
      const read = readBase(room.mirror, { base });
      await expect(read).rejects.toMatchObject({
        code: 'INVALID',
        field: 'base',
        message: expect.stringContaining(base),
      });
    }
  });
});

describe('landing', () => {
  it('moves base and the branch to the same commit', async () => {
    const room = await fixture();
    const one = await changed(room, { 'one.txt': '1' });
    expect(await land(room.mirror, one)).toEqual({ kind: 'published', oid: one.commit });
    expect([tipOf(room.remote, 'main'), tipOf(room.remote, 'task/one')]).toEqual([one.commit, one.commit]);
  });

  it('lands on a base that a person has moved before, and replaces the branch by its replayed commits', async () => {
    const room = await fixture();
    by(room.person, 'checkout', '--quiet', '-b', 'task/one');
    write(room.person, { 'earlier.txt': 'e' });
    commitAll(room.person, 'earlier');
    by(room.person, 'push', '--quiet', 'origin', 'task/one');
    by(room.person, 'checkout', '--quiet', 'main');
    const one = await changed(room, { 'one.txt': '1' });
    const tip = advance(room, { 'person.txt': 'p' });
    const result = await land(room.mirror, one);
    const landed = tipOf(room.remote, 'main') ?? '';
    expect(result).toEqual({ kind: 'published', oid: landed });
    expect(tipOf(room.remote, 'task/one')).toBe(landed);
    expect(by(room.remote, 'rev-parse', 'main~2')).toBe(tip);
    expect(by(room.remote, 'ls-tree', '--name-only', 'main')).toContain('earlier.txt\none.txt\nperson.txt');
  });

  it('lands a task whose branch is base itself', async () => {
    const room = await fixture();
    const one = await changed(room, { 'one.txt': '1' }, { branch: 'main' });
    expect(await land(room.mirror, one)).toEqual({ kind: 'published', oid: one.commit });
    expect(tipOf(room.remote, 'main')).toBe(one.commit);
  });

  it('succeeds with nothing to land when base has all of it', async () => {
    const room = await fixture();
    const one = await changed(room, { 'one.txt': '1' });
    const tip = advance(room, { 'one.txt': '1' });
    expect(await land(room.mirror, one)).toEqual({ kind: 'published', oid: tip });
    expect([tipOf(room.remote, 'main'), tipOf(room.remote, 'task/one')]).toEqual([tip, tip]);
  });

  it('says that base has moved since it was read, moves nothing, and lands after another rebase', async () => {
    const room = await fixture();
    const one = await changed(room, { 'one.txt': '1' });
    const landing = await ready(room.mirror, one);
    const theirs = advance(room, { 'person.txt': 'p' });
    expect(await landCommit(room.mirror, landing)).toEqual({
      kind: 'moved',
      expectedTip: room.first,
      actualTip: theirs,
    });
    expect([tipOf(room.remote, 'main'), tipOf(room.remote, 'task/one')]).toEqual([theirs, undefined]);
    expect(await land(room.mirror, one)).toMatchObject({ kind: 'published' });
    expect(by(room.remote, 'rev-parse', 'main^')).toBe(theirs);
  });

  it('says that base has moved when it was deleted', async () => {
    const room = await fixture();
    const one = await changed(room, { 'one.txt': '1' });
    const landing = await ready(room.mirror, one);
    by(room.remote, 'branch', '-m', 'main', 'trunk');
    expect(await landCommit(room.mirror, landing)).toEqual({
      kind: 'moved',
      expectedTip: room.first,
      actualTip: null,
    });
  });

  it('leaves base and a branch alone that a person moved, although base did not move', async () => {
    const room = await fixture();
    const one = await changed(room, { 'one.txt': '1' });
    const landing = await ready(room.mirror, one);
    by(room.person, 'push', '--quiet', 'origin', 'main:task/one');
    expect(await landCommit(room.mirror, landing)).toMatchObject({
      kind: 'rejected',
      reason: 'branch_moved',
      expectedTip: null,
      actualTip: room.first,
      message: expect.stringContaining('refs/heads/task/one'),
    });
    expect([tipOf(room.remote, 'main'), tipOf(room.remote, 'task/one')]).toEqual([room.first, room.first]);
  });

  it('refuses a commit that would take commits away from base', async () => {
    const room = await fixture();
    const one = await changed(room, { 'one.txt': '1' });
    const tip = advance(room, { 'person.txt': 'p' });
    const landing = { ...(await ready(room.mirror, one)), commit: one.commit };
    const refused = { kind: 'rejected', reason: 'not_descendant', expectedTip: tip };
    expect(await landCommit(room.mirror, landing)).toMatchObject(refused);
    expect(tipOf(room.remote, 'main')).toBe(tip);
  });

  it('moves neither when the remote refuses one of them, and passes on why', async () => {
    const room = await fixture();
    hook(room.remote, 'update', 'case $1 in refs/heads/main) echo "main is protected" >&2; exit 1;; esac');
    const one = await changed(room, { 'one.txt': '1' });
    const refused = { kind: 'rejected', reason: 'refused', message: expect.stringContaining('main is protected') };
    expect(await land(room.mirror, one)).toMatchObject(refused);
    expect([tipOf(room.remote, 'main'), tipOf(room.remote, 'task/one')]).toEqual([room.first, undefined]);
  });

  it('moves base first where the remote cannot move both at once', async () => {
    const room = await fixture();
    by(room.remote, 'config', 'receive.advertiseAtomic', 'false');
    const one = await changed(room, { 'one.txt': '1' });
    expect(await land(room.mirror, one)).toEqual({ kind: 'published', oid: one.commit });
    expect([tipOf(room.remote, 'main'), tipOf(room.remote, 'task/one')]).toEqual([one.commit, one.commit]);
  });

  it('is a success when the push landed but its client was killed, even if base was built upon since', async () => {
    const room = await fixture();
    hook(room.remote, 'post-receive', 'kill -9 0');
    const one = await changed(room, { 'one.txt': '1' });
    expect(await land(room.mirror, one)).toEqual({ kind: 'published', oid: one.commit });
    const onward = 'git -c user.name=x -c user.email=x commit-tree -p main -m on main^{tree}';
    hook(room.remote, 'post-receive', `git update-ref refs/heads/main $(${onward}); kill -9 0`);
    const two = await changed(room, { 'two.txt': '2' }, { branch: 'task/two' });
    expect(await land(room.mirror, two)).toEqual({ kind: 'published', oid: two.commit });
    expect(by(room.remote, 'rev-parse', 'main^')).toBe(two.commit);
  });

  it('says that it is in doubt when it was cancelled and base does not have the commit yet', async () => {
    const room = await fixture();
    const reached = join(room.root, 'reached');
    hook(room.remote, 'pre-receive', `touch '${reached}'; while [ -e '${reached}' ]; do sleep 0.05; done`);
    const one = await changed(room, { 'one.txt': '1' });
    const cancel = new AbortController();
    const landing = land(room.mirror, one, cancel.signal);
    await vi.waitFor(() => expect(existsSync(reached)).toBe(true), { timeout: 20_000 });
    cancel.abort(new Error('cancelled'));
    await expect(landing).rejects.toMatchObject({ details: { inDoubt: true } });
    expect(tipOf(room.remote, 'main')).toBe(room.first);
    await letGo(room.remote, reached);
  });

  it('lets exactly one of two win at a time, and loses none of 10 rounds', { timeout: 120_000 }, async () => {
    const room = await fixture();
    const repository = await resolveRepository(room.git, room.remote, room.root);
    const other = await createMirrors({ git: room.git, dataDir: join(room.root, 'other') }).open(repository);
    for (let round = 0; round < 10; round++) {
      const [a, b] = await Promise.all([
        changed(room, { [`a${round}.txt`]: 'a' }, { branch: `a/${round}` }),
        changed({ ...room, mirror: other }, { [`b${round}.txt`]: 'b' }, { branch: `b/${round}` }),
      ]);
      const landings = await Promise.all([ready(room.mirror, a), ready(other, b)]);
      const results = await Promise.all([landCommit(room.mirror, landings[0]), landCommit(other, landings[1])]);
      expect(results.map(({ kind }) => kind).sort()).toEqual(['moved', 'published']);
      const again = results[0].kind === 'moved' ? land(room.mirror, a) : land(other, b);
      expect(await again).toMatchObject({ kind: 'published' });
    }
    expect(by(room.remote, 'ls-tree', '--name-only', 'main').match(/^[ab]\d\.txt$/gm)).toHaveLength(20);
    expect(by(room.remote, 'rev-list', '--count', 'main')).toBe('21');
  });
});

describe('looking for what has landed', () => {
  it("finds the task's commit below what came later, under the name that it has on base", async () => {
    const room = await fixture();
    expect(await findLanding(room.mirror, { id: 'task/one' })).toBeUndefined();
    const one = await changed(room, { 'one.txt': '1' });
    advance(room, { 'before.txt': 'b' });
    const result = await land(room.mirror, one);
    const landed = tipOf(room.remote, 'main');
    expect(result).toEqual({ kind: 'published', oid: landed });
    for (let count = 0; count < 3; count++) advance(room, { 'after.txt': `${count}` });
    by(room.person, 'push', '--quiet', 'origin', '--delete', 'task/one');
    expect(await findLanding(room.mirror, { id: 'task/one' })).toBe(landed);
    expect(await findLanding(room.mirror, { id: 'task/one', base: 'main' })).toBe(landed);
    expect(await findLanding(room.mirror, { id: 'task/o' })).toBeUndefined();
    expect(await findLanding(room.mirror, { id: 'task/one', base: 'nowhere' })).toBeUndefined();
  });
});
