import { rmSync, symlinkSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { readRef, readRefs } from '../../../src/git/refs.ts';
import { by, commitAll, fixture, write } from './support.ts';

describe('refs read without git', () => {
  it('are those that git names, loose, packed, and packed and moved since', async () => {
    const { person } = await fixture();
    const gitDir = `${person}/.git`;
    for (const name of ['a', 'deep/er/b', 'gone']) by(person, 'branch', name);
    by(person, 'tag', 'light');
    by(person, 'tag', '-a', 'v1', '-m', 'one');
    by(person, 'pack-refs', '--all');
    write(person, { 'more.txt': 'more' });
    commitAll(person);
    by(person, 'branch', '--force', 'a', 'main');
    by(person, 'branch', '--delete', '--force', 'gone');
    by(person, 'branch', 'loose');
    const format = '--format=%(refname) %(objectname)';
    const told = by(person, 'for-each-ref', format, 'refs/heads', 'refs/tags').split('\n');
    const read = await readRefs(gitDir, ['refs/heads', 'refs/tags']);
    expect([...read].map(([name, oid]) => `${name} ${oid}`)).toEqual(told);
    expect(told).toHaveLength(6);
    for (const [name, oid] of read) expect(await readRef(gitDir, name)).toBe(oid);
    expect(await readRef(gitDir, 'refs/heads/gone')).toBeUndefined();
  });

  it('are an error where they cannot be read: that is not a ref that does not exist', async () => {
    const { person } = await fixture();
    const gitDir = `${person}/.git`;
    // What cannot be followed cannot be read, for root either.
    symlinkSync('loop', `${gitDir}/refs/heads/loop`);
    await expect(readRef(gitDir, 'refs/heads/loop')).rejects.toThrow('ELOOP');
    rmSync(`${gitDir}/packed-refs`, { force: true });
    symlinkSync('packed-refs', `${gitDir}/packed-refs`);
    await expect(readRefs(gitDir, ['refs/heads'])).rejects.toThrow('ELOOP');
  });
});
