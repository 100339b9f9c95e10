import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createGit } from '../../../src/git/git.ts';
import { createMirrors } from '../../../src/git/mirror.ts';
import { resolveStart } from '../../../src/git/start-point.ts';
import { by, commitAll, fixture, tempDir, write } from './support.ts';

describe('where a run starts', () => {
  it("is the remote's HEAD when no base is named", async () => {
    const { mirror, first } = await fixture();
    expect(await resolveStart(mirror, { branch: 'task/one' })).toEqual({
      startOid: first,
      branchTip: null,
      baseOid: first,
    });
  });

  it('is the tip of the branch when the remote has it, whatever the base says', async () => {
    const { mirror, person, first } = await fixture();
    by(person, 'checkout', '--quiet', '-b', 'task/one');
    write(person, { 'more.txt': 'more' });
    const tip = commitAll(person);
    by(person, 'push', '--quiet', 'origin', 'task/one');
    const start = { startOid: tip, branchTip: tip, baseOid: first };
    expect(await resolveStart(mirror, { branch: 'task/one', base: 'main' })).toEqual(start);
    expect(await resolveStart(mirror, { branch: 'task/one', base: 'nowhere' })).toMatchObject({
      startOid: tip,
      baseOid: null,
    });
  });

  it('may be a branch, a tag, a full ref, a commit or its short name', async () => {
    const { mirror, person, first } = await fixture();
    by(person, 'tag', '-a', 'v1', '-m', 'one');
    write(person, { 'more.txt': 'more' });
    const second = commitAll(person);
    by(person, 'push', '--quiet', 'origin', 'main', 'v1');
    const startAt = async (base: string) => (await resolveStart(mirror, { branch: 'task/one', base })).startOid;
    expect(await startAt('main')).toBe(second);
    expect(await startAt('v1')).toBe(first);
    expect(await startAt('refs/tags/v1')).toBe(first);
    expect(await startAt(first)).toBe(first);
    expect(await startAt(first.slice(0, 10))).toBe(first);
  });

  it('is read anew for each run, so that a base that moved is seen', async () => {
    const { mirror, person, first } = await fixture();
    expect((await resolveStart(mirror, { branch: 'a' })).startOid).toBe(first);
    write(person, { 'more.txt': 'more' });
    const second = commitAll(person);
    by(person, 'push', '--quiet', 'origin', 'main');
    expect((await resolveStart(mirror, { branch: 'a' })).startOid).toBe(second);
    by(person, 'push', '--quiet', '--force', 'origin', `${first}:main`);
    expect((await resolveStart(mirror, { branch: 'a' })).startOid).toBe(first);
  });

  it('is an error that names the base when the remote does not have it', async () => {
    const { mirror } = await fixture();
    for (const base of ['nowhere', 'main~0', 'main^{tree}', '--all', 'f'.repeat(40), '@{-1}', 'refs/heads/none']) {
      const start = resolveStart(mirror, { branch: 'a', base });
      await expect(start, base).rejects.toMatchObject({ code: 'INVALID', field: 'base' });
    }
  });

  it("may be a commit that another task's branch was published with, as long as the remote keeps it", async () => {
    const { mirror, person, remote } = await fixture();
    by(person, 'checkout', '--quiet', '-b', 'task/other');
    write(person, { 'other.txt': 'o' });
    const commit = commitAll(person);
    write(person, { 'more.txt': 'm' });
    commitAll(person);
    by(person, 'push', '--quiet', 'origin', 'task/other');
    const start = () => resolveStart(mirror, { branch: 'task/one', base: commit });
    const found = { startOid: commit, branchTip: null, baseOid: commit };
    expect(await start()).toEqual(found);
    by(person, 'push', '--quiet', 'origin', 'task/other:refs/heads/kept', ':refs/heads/task/other');
    expect(await start()).toEqual(found);
    by(person, 'push', '--quiet', 'origin', `${commit}:refs/pull/1/head`, ':refs/heads/kept');
    expect(await start()).toEqual(found);
    by(remote, 'update-ref', '-d', 'refs/pull/1/head');
    await expect(start()).rejects.toMatchObject({
      code: 'INVALID',
      field: 'base',
      message: expect.stringContaining(`${commit}" is on no branch or tag`),
    });
  });

  it('is an error that says so when the remote is empty', async () => {
    const root = tempDir();
    by(root, 'init', '--quiet', '--bare', 'empty.git');
    const mirrors = createMirrors({ git: createGit({ env: process.env }), dataDir: join(root, 'data') });
    const mirror = await mirrors.open({ key: 'empty', url: join(root, 'empty.git') });
    const start = resolveStart(mirror, { branch: 'a' });
    await expect(start).rejects.toMatchObject({
      code: 'INVALID',
      field: 'repo',
      message: expect.stringContaining('no commit'),
    });
  });

  it('asks for a base when the remote has branches but its HEAD names none of them', async () => {
    const { mirror, remote } = await fixture();
    by(remote, 'symbolic-ref', 'HEAD', 'refs/heads/gone');
    await expect(resolveStart(mirror, { branch: 'a' })).rejects.toMatchObject({ code: 'INVALID', field: 'base' });
  });

  it("may be a checkout's detached HEAD that no branch reaches", async () => {
    const { mirror, person, git, dataDir } = await fixture();
    by(person, 'remote', 'remove', 'origin');
    by(person, 'checkout', '--quiet', '--detach');
    write(person, { 'more.txt': 'more' });
    const detached = commitAll(person);
    expect(mirror.url).not.toBe(person);
    const local = await createMirrors({ git, dataDir }).open({ key: 'local', url: person });
    expect(await resolveStart(local, { branch: 'a' })).toMatchObject({ startOid: detached });
  });
});
