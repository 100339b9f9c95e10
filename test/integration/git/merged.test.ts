import { describe, expect, it } from 'vitest';
import { isMerged } from '../../../src/git/merged.ts';
import { advance, by, commitAll, type Fixture, fixture, write } from './support.ts';

const BRANCH = 'task/one';

/** A remote with a published branch of two commits; a person is back on main. */
async function published() {
  const room = await fixture();
  by(room.person, 'checkout', '--quiet', '-b', BRANCH);
  write(room.person, { 'src/auth/login.ts': 'changed\n' });
  commitAll(room.person);
  write(room.person, { 'new.txt': 'new\n' });
  const commit = commitAll(room.person);
  by(room.person, 'push', '--quiet', 'origin', BRANCH);
  by(room.person, 'checkout', '--quiet', 'main');
  return { ...room, commit };
}

/** What a person does on main, then pushes. */
function onMain({ person }: Fixture, ...args: string[]): void {
  by(person, ...args);
  by(person, 'push', '--quiet', 'origin', 'main');
}

const fate = ({ mirror, commit }: Fixture & { commit: string }, base?: string) =>
  isMerged(mirror, { branch: BRANCH, base, commit });

describe('a published branch', () => {
  it('is open until it is merged, whatever happens on base meanwhile', async () => {
    const room = await published();
    expect(await fate(room)).toBe('open');
    advance(room, { 'other.txt': 'o' });
    expect(await fate(room)).toBe('open');
    // One of its two changes.
    advance(room, { 'new.txt': 'new\n' });
    expect(await fate(room)).toBe('open');
    // Against it.
    advance(room, { 'src/auth/login.ts': 'theirs\n' });
    expect(await fate(room)).toBe('open');
    onMain(room, 'merge', '--quiet', '-s', 'ours', `origin/${BRANCH}`);
    expect(await fate(room)).toBe('merged');
  });

  it('is merged by a fast-forward, and by a merge', async () => {
    const one = await published();
    onMain(one, 'merge', '--quiet', '--ff-only', BRANCH);
    expect(await fate(one)).toBe('merged');
    const two = await published();
    advance(two, { 'other.txt': 'o' });
    onMain(two, 'merge', '--quiet', '--no-ff', BRANCH);
    expect(await fate(two)).toBe('merged');
  });

  it('is merged by a squash and by a rebase, also when base went on', async () => {
    const squashed = await published();
    advance(squashed, { 'other.txt': 'o' });
    by(squashed.person, 'merge', '--quiet', '--squash', BRANCH);
    onMain(squashed, 'commit', '--quiet', '-m', 'squashed');
    advance(squashed, { 'other.txt': 'more' });
    expect(await fate(squashed)).toBe('merged');
    const rebased = await published();
    advance(rebased, { 'other.txt': 'o' });
    onMain(rebased, 'cherry-pick', `main..${BRANCH}`);
    expect(await fate(rebased)).toBe('merged');
  });

  it('is merged when what the task has published is, although somebody goes on with the branch', async () => {
    const room = await published();
    onMain(room, 'merge', '--quiet', '--no-ff', BRANCH);
    by(room.person, 'checkout', '--quiet', BRANCH);
    write(room.person, { 'on.txt': 'on' });
    commitAll(room.person);
    by(room.person, 'push', '--quiet', 'origin', BRANCH);
    expect(await fate(room)).toBe('merged');
  });

  it('is merged when its rewritten form is', async () => {
    const room = await published();
    by(room.person, 'checkout', '--quiet', BRANCH);
    write(room.person, { 'new.txt': 'newer\n' });
    by(room.person, 'commit', '--quiet', '--all', '--amend', '-m', 'rewritten');
    by(room.person, 'push', '--quiet', '--force', 'origin', BRANCH);
    by(room.person, 'checkout', '--quiet', 'main');
    expect(await fate(room)).toBe('open');
    onMain(room, 'merge', '--quiet', '--no-ff', BRANCH);
    expect(await fate(room)).toBe('merged');
  });

  it('is gone when it was deleted, but merged when base has it', async () => {
    const room = await published();
    by(room.person, 'push', '--quiet', 'origin', '--delete', BRANCH);
    expect(await fate(room)).toBe('gone');
    onMain(room, 'merge', '--quiet', BRANCH);
    expect(await fate(room)).toBe('merged');
  });

  it('is looked at against the base that is named', async () => {
    const room = await published();
    by(room.person, 'push', '--quiet', 'origin', `${BRANCH}:release`);
    expect(await fate(room, 'release')).toBe('merged');
    expect(await fate(room, 'main')).toBe('open');
    expect(await fate(room, 'nowhere')).toBe('open');
  });

  it('is gone, not an error, when this host has never seen its commit', async () => {
    const room = await published();
    by(room.person, 'push', '--quiet', 'origin', '--delete', BRANCH);
    expect(await fate({ ...room, commit: 'a'.repeat(40) })).toBe('gone');
  });
});
